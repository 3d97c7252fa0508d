;; Operations on many bytes while both registers hold something.
(module
  (memory (export "memory") 1 8)
  (data $passive
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef")
  (func (export "fill") (param i64) (result f64)
    (f64.reinterpret_i64 (local.get 0))
    (memory.fill (i32.const 0) (i32.const 7) (i32.mul (memory.size) (i32.const 65536))))
  (func (export "copy") (param i64) (result f64)
    (i32.store8 (i32.const 65535) (i32.const 7))
    (f64.reinterpret_i64 (local.get 0))
    (memory.copy (i32.const 0) (i32.const 1) (i32.sub (i32.mul (memory.size) (i32.const 65536)) (i32.const 1))))
  (func (export "init") (param i64) (result f64)
    (f64.reinterpret_i64 (local.get 0))
    (memory.init $passive (i32.const 0) (i32.const 0) (i32.add (memory.size) (i32.const 511))))
  (func (export "grow") (param i64) (result f64)
    (f64.reinterpret_i64 (local.get 0))
    (i32.store (i32.const 0) (memory.grow (i32.const 2))))
)
