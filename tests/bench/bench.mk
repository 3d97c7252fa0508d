# `make bench`: what the engine costs; tools/wg/bench says how. Included by the Makefile; no part of `make test`.

# One section or several: make bench BENCH="xtensa flash"
BENCH ?=

.PHONY: bench
bench: setup sim sim32 widgets xtensa ## Measure: tables, build/bench.json, pictures in build/bench; BENCH="kernels flash"
	@$(PY) -m wg.bench $(BENCH)
