;; Sums that keep values in registers of every kind over many turns of a loop.
(module
  (func (export "f32") (param $n i32) (result f32) (local $sum f32) (local $step f32)
    (local.set $step (f32.const 1.0009))
    (loop $again
      (local.set $sum (f32.add (local.get $sum) (f32.div (local.get $step) (f32.convert_i32_s (local.get $n)))))
      (local.set $step (f32.mul (local.get $step) (f32.const 1.0009)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (f32.add (local.get $sum) (local.get $step)))
  (func (export "f64") (param $n i32) (result f64) (local $sum f64)
    (loop $again
      (local.set $sum (f64.add (f64.sqrt (f64.add (local.get $sum) (f64.const 2)))
        (f64.div (f64.const 1) (f64.convert_i32_s (local.get $n)))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "i64") (param $n i32) (result i64) (local $sum i64)
    (local.set $sum (i64.const 0x243f6a8885a308d3))
    (loop $again
      (local.set $sum (i64.xor (i64.mul (local.get $sum) (i64.const 0x9e3779b97f4a7c15))
        (i64.rotl (local.get $sum) (i64.extend_i32_u (local.get $n)))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum)))
