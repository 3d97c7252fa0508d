(module (memory (export "memory") 0 0) (func (export "grow") (param i32) (result i32) local.get 0 memory.grow) (func (export "load") (result i32) i32.const 0 i32.load8_u))
