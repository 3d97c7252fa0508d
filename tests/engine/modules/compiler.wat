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
  ;; results of which a wide one goes where two narrow ones lie
  (func (export "wide") (param i32 i64) (result i32 f64 f32 i32 f32 f64)
    (local i64 f32 f32 f32 f32 f32 f32 f32 f64 f64 f64 i32 i32)
    (block (result i32 f64 f32 i32 f32 f64)
      i32.const -115 f64.const 0 f32.const -2 i32.const 32768 f32.const -90 f64.const 7
      local.set 12 local.set 9 local.set 14 local.set 8 local.set 11 local.tee 13
      local.get 11 local.get 8 local.get 14 local.get 9 local.get 12
      (loop (result i32) (i32.const -255))
      br_if 0))
  ;; br to a loop with parameters
  (func (export "br_back") (result i32) (local i32)
    (i32.const 1) (i32.const 2)
    (loop (param i32 i32) (result i32)
      (local.set 0)
      (drop)
      (if (i32.lt_u (local.get 0) (i32.const 100)) (then
        (i32.const 7)
        (br 1 (i32.add (local.get 0) (i32.const 50)))))
      (local.get 0)))
  ;; a branch with a result while another value is in the floating-point register
  (func (export "br_if_over_register") (param i32) (result f64) (local f64)
    (local.set 1 (f64.const 5))
    (block (result f64)
      (f64.add (local.get 1) (f64.const 2))
      (br_if 0 (local.get 1) (local.get 0))
      (f64.add)))
  ;; dead code whose operands are of other types, and dead branches to a loop with parameters
  (func (export "dead") (param f64 i32) (result i32)
    (loop (param) (result i32)
      (block (result i32)
        (f64.add (local.get 0) (local.get 0))
        (i32.add (local.get 1) (local.get 1))
        (br 0)
        (f64.lt)))
    (i32.const 1)
    (loop (param i32) (result i32)
      (block
        (br 0)
        (br_if 1)
        (br_table 1 1))
      (i32.add (i32.const 3)))
    (i32.add))
  ;; values that a branch back leaves in both registers, and an operator of neither's type
  (func (export "dead_operands") (param f64 i32) (result i32)
    (block
      (br_if 0 (local.get 1))
      (loop
        (f64.add (local.get 0) (local.get 0))
        (i32.add (local.get 1) (local.get 1))
        (br 0)
        (f64.lt)
        (drop)))
    (local.get 1))
)
