;; Frames that know what they hold, for a wasm stack that moves under them.
(module
  (import "host" "mix" (func $mix (param i32 i64 f32 f64) (result i64)))
  (memory (export "memory") 1 4)
  (func $sum (export "sum") (param i32) (result i32)
    (local $kept i64)
    (if (i32.eqz (local.get 0)) (then (return (i32.const 0))))
    (local.set $kept (i64.mul (i64.extend_i32_u (local.get 0)) (i64.const 0x100000001)))
    (call $sum (i32.sub (local.get 0) (i32.const 1)))
    (if (i64.ne (local.get $kept) (i64.mul (i64.extend_i32_u (local.get 0)) (i64.const 0x100000001)))
      (then unreachable))
    (i32.add (local.get 0)))
  ;; so many calls deep, then to the host
  (func $through (export "through") (param i32 i64) (result i64)
    (local $kept i64)
    (if (i32.eqz (local.get 0))
      (then (return (call $mix (i32.const 7) (local.get 1) (f32.const 1.5) (f64.const -2.5)))))
    (local.set $kept (i64.extend_i32_u (local.get 0)))
    (call $through (i32.sub (local.get 0) (i32.const 1)) (local.get 1))
    (if (i64.ne (local.get $kept) (i64.extend_i32_u (local.get 0))) (then unreachable))
    (i64.add (local.get $kept)))
  ;; takes more than the host function that calls it
  (func (export "many") (param i64 i64 i64 i64 i64 i64 i64 i64) (result i64)
    (i64.add
      (i64.add (i64.add (local.get 0) (local.get 1)) (i64.add (local.get 2) (local.get 3)))
      (i64.add (i64.add (local.get 4) (local.get 5)) (i64.add (local.get 6) (local.get 7)))))
  ;; counts its calls in memory until the stack ends
  (func $deep (export "deep")
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 1)))
    (call $deep))
  ;; the memory's header moves, too
  (func (export "grow_and_sum") (param i32) (result i32)
    (drop (memory.grow (i32.const 1)))
    (call $sum (local.get 0)))
)
