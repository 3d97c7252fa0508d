# Fuzzing of what reads a widget's bytes in Python. The validator's and the engine's fuzzing stand beside their tests.

.PHONY: fuzz fuzz-runtime fuzz-component fuzz-link fuzz-abi
fuzz: fuzz-runtime
fuzz-runtime: fuzz-component fuzz-link fuzz-abi ## Fuzz the component parser and the ABI (atheris); SECONDS=20
fuzz-component fuzz-link fuzz-abi: fuzz-%: widgets | $(STAMPS)/venv
	@echo "wg: fuzzing the runtime's $* for $(SECONDS) s"
	@$(PY) tests/fuzz/fuzz.py $* $(SECONDS)
