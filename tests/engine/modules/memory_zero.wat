(module (memory (export "memory") 0) (func (export "grow") (param i32) (result i32) local.get 0 memory.grow) (func (export "load") (result i32) i32.const 65535 i32.load8_u))
