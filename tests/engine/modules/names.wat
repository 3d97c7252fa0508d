;; Assembled with its name section.
(module
  (import "host" "back" (func $back))
  (type $nothing (func))
  (table 3 funcref)
  (elem (i32.const 0) $parse_stop $overflows)
  (func $parse_stop unreachable)
  (func $calls (export "direct") call $parse_stop)
  (func $by_table (export "indirect") (param i32) local.get 0 call_indirect (type $nothing))
  (func $overflows call $overflows)
  (func $well)
  (func $after (export "after") call $well call $back i32.const 0 i32.const 0 i32.div_s drop)
  (func $deep (export "deep") call $back call $calls)
)
