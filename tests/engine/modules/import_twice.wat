(module (import "a" "f" (func (param i32))) (import "a" "f" (func (param i64))) (func (export "g") i32.const 1 call 0 i64.const 2 call 1))
