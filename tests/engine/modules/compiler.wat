;; Valid functions that wasm3 0.5.0 compiles wrongly.
(module
  ;; a local that is set while it lies on the operand stack twice
  (func (export "preserved") (param f32 i64 i64 f64 i32) (result f64 f64 f64 i32 i64)
    (block (result f64 f64 f64 i32 i64)
      (block local.get 3 local.get 3 local.tee 3 f64.gt drop)
      f64.const 1 f64.const 2 f64.const 3 i32.const 4 i64.const 5))
  ;; a branch with a float result over further values
  (func (export "branch_over") (param i32) (result f64)
    (block (result f64)
      (i32.add (local.get 0) (i32.const 1))
      (i32.add (local.get 0) (i32.const 2))
      (br 0 (f64.const 1.5))))
)
