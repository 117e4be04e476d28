# Two commands do everything on a fresh Debian or Ubuntu machine with a Swift 6.3 toolchain: `make run` and `make test`.
HOST ?= 127.0.0.1
PORT ?= 8080
CHECKPOINTS ?= checkpoints

# A crashing test would otherwise spend minutes on a backtrace.
export SWIFT_BACKTRACE ?= enable=no

SWIFT_SOURCES = Package.swift Sources Tests Benchmarks examples
TOOLS = .venv-tools
DEPLOYMENT = .venv-deployment
CLIENT = .venv-client
PAGES = .venv-pages
API = .venv-api
PEERS = .bench/venv/ready

LIBRARIES = libopenblas-dev libnghttp2-dev libpng-dev libjpeg-dev
# No build needs it: `MPITests` start `mpirun` where it is there.
MPI = openmpi-bin
SUDO = $(if $(filter 0,$(shell id -u)),,sudo)

# $(call install,PACKAGES): those of them that are missing.
define install
	@missing=; for package in $(1); do \
	  dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'install ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
	  echo "installing$$missing"; \
	  $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	fi
endef

.PHONY: help run test client-test page-test api-test aarch64-test page-speed picture deploy-check build lint format fuzzers fuzz fuzz-smoke docs bench bench-check bench-load packages mpi clean
.DEFAULT_GOAL := help

help: ## says what there is
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

run: build ## builds, serves the default checkpoint, prints the page's address and a curl line (HOST, PORT, CHECKPOINTS)
	@echo
	@echo "  The playground is at http://$(HOST):$(PORT)/ - or, from this folder in another shell:"
	@echo
	@echo "    curl -s --data-binary @Tests/Photographs/chelsea.jpg -H 'Content-Type: image/jpeg' http://$(HOST):$(PORT)/encode \\"
	@echo "      | curl -s --data-binary @- -H 'Content-Type: application/json' http://$(HOST):$(PORT)/decode > out.png"
	@echo
	@exec .build/release/revq-server --checkpoints $(CHECKPOINTS) --host $(HOST) --port $(PORT)

# Optimised, because the numerics are far too slow otherwise. In a folder of its own: with -enable-testing every module differs
# from what `make run` builds, and one folder for both would be rebuilt whole at each change from one to the other.
test: packages ## runs all tests; those of MPI where it is installed (make mpi)
	swift test -c release --scratch-path .build-tests -Xswiftc -enable-testing

# With the server that `make test` has built beside the tests, so that nothing is built twice; REVQ_SERVER names another.
client-test: $(CLIENT)/ready ## runs the tests of the Python client and the notebook, after make test
	cd clients/python && REVQ_SERVER=$${REVQ_SERVER:-$(CURDIR)/.build-tests/release/revq-server} $(CURDIR)/$(CLIENT)/bin/python -m pytest --quiet

# The pages in a real browser, with the same server.
page-test: $(PAGES)/ready ## runs the tests of the pages in Chromium, after make test
	REVQ_SERVER=$${REVQ_SERVER:-$(CURDIR)/.build-tests/release/revq-server} $(PAGES)/bin/python -m pytest --quiet Tests/PageTests

# openapi.yaml against the same server.
api-test: $(API)/ready ## replays openapi.yaml against a running server, after make test
	REVQ_SERVER=$${REVQ_SERVER:-$(CURDIR)/.build-tests/release/revq-server} $(API)/bin/python Tests/APITests/replay.py

# Results of every kernel, compiled for AArch64 and run by an emulator, beside those of this machine's plain path. Only C is compiled, by the
# toolchain's clang. The linker and the C library are Debian's cross ones.
KERNELS = Sources/TokenizerCore/CKernels
KERNEL_SOURCES = $(wildcard $(KERNELS)/*.c $(KERNELS)/instances/*.c) Tests/AArch64Tests/kernels.c
KERNEL_HEADERS = $(wildcard $(KERNELS)/*.h $(KERNELS)/include/*.h $(KERNELS)/operations/*.h)
# $(call kernels,CLANG FLAGS)
kernels = mkdir -p $(@D) && clang $(1) -std=gnu17 -Wall -Wextra -Wno-psabi -I $(KERNELS)/include $(KERNEL_SOURCES) -lm -o $@

.build-aarch64/here: $(KERNEL_SOURCES) $(KERNEL_HEADERS)
	@$(call kernels,-O1)

.build-aarch64/there: $(KERNEL_SOURCES) $(KERNEL_HEADERS)
	$(call install,qemu-user gcc-aarch64-linux-gnu libc6-dev-arm64-cross)
	@$(call kernels,-O2 --target=aarch64-linux-gnu)

aarch64-test: .build-aarch64/here .build-aarch64/there ## compares the kernels for AArch64, under qemu, with this machine's
	.build-aarch64/here write .build-aarch64/results
	.build-aarch64/here compare .build-aarch64/results
	qemu-aarch64 -L /usr/aarch64-linux-gnu .build-aarch64/there compare .build-aarch64/results

page-speed: build $(PAGES)/ready ## measures how long a dropped picture takes to be seen through its tokens
	$(PAGES)/bin/python Tests/PageTests/speed.py

picture: build $(PAGES)/ready ## takes the picture of the playground that README.md shows
	$(PAGES)/bin/python Tests/PageTests/picture.py

build: packages ## builds server, trainer and benchmark
	swift build -c release

lint: $(TOOLS)/ready ## checks the form of Swift and Python, the modules' arrows, and what the documents repeat
	swift format lint --strict --parallel --recursive $(SWIFT_SOURCES)
	$(TOOLS)/bin/ruff check --quiet
	$(TOOLS)/bin/ruff format --check --quiet
	python3 Tools/architecture.py --check
	python3 Tools/recipe.py --check
	python3 Tools/example.py --check
	$(TOOLS)/bin/python Tools/reference.py --check

format: $(TOOLS)/ready ## brings Swift and Python into form, and draws what the documents repeat
	swift format --in-place --parallel --recursive $(SWIFT_SOURCES)
	$(TOOLS)/bin/ruff check --quiet --fix
	$(TOOLS)/bin/ruff format --quiet
	python3 Tools/architecture.py
	python3 Tools/recipe.py
	python3 Tools/example.py
	$(TOOLS)/bin/python Tools/reference.py

# A built server, promtool, haproxy and kubectl are used where they are there.
deploy-check: $(DEPLOYMENT)/ready ## holds what is under deploy/ to its schemas and to the server, half a minute
	$(DEPLOYMENT)/bin/python Tools/deployment.py

# libFuzzer and AddressSanitizer, and nothing but what the fuzzers need: a folder of its own.
FUZZERS = .build-fuzz/release/revq-fuzz
FUZZ ?= http1
SECONDS ?= 600
CORPORA = Tests/FuzzingTests/Corpora
# $(call fuzz,NAME,SECONDS,MORE): what it finds beyond the corpus goes into .build-fuzz, what breaks something is named there and ends it.
define fuzz
	@mkdir -p .build-fuzz/found/$(1)
	$(FUZZERS) $(1) -max_total_time=$(2) -max_len=4096 -timeout=10 -rss_limit_mb=2048 $(3) \
	  -dict=Tests/FuzzingTests/Dictionaries/$(1).dict -artifact_prefix=.build-fuzz/$(1)- \
	  .build-fuzz/found/$(1) $(CORPORA)/$(1) $(if $(filter png jpeg,$(1)),Tests/TestSupport/Fixtures/images)

endef

fuzzers: packages
	REVQ_FUZZ=1 swift build -c release --scratch-path .build-fuzz --product revq-fuzz --sanitize fuzzer --sanitize address \
	  -Xswiftc -enable-testing

fuzz: fuzzers ## looks for bytes that break a reader (FUZZ=http1, SECONDS=600)
	$(call fuzz,$(FUZZ),$(SECONDS),-verbosity=1)

# With one seed, so that it finds the same on every machine: what is new is found by `make fuzz`.
fuzz-smoke: fuzzers ## the same for all readers from one seed, a minute together
	$(foreach corpus,$(wildcard $(CORPORA)/*),$(call fuzz,$(notdir $(corpus)),8,-verbosity=0 -seed=1 -runs=20000))

docs: packages ## the library's reference, into .build-docs/site
	swift package --scratch-path .build-docs --allow-writing-to-directory .build-docs/site \
	  generate-documentation --target TokenizerCore --output-path .build-docs/site --warnings-as-errors

# Beside PyTorch, ONNX Runtime, OpenVINO and MNN, which are installed into .bench.
BENCH_FLAGS ?=

bench: build $(PEERS) ## measures beside PyTorch, ONNX Runtime, OpenVINO and MNN (BENCH_FLAGS=--quick is the short form)
	PYTHONPATH=Benchmarks .bench/venv/bin/python -m revq_bench.peers $(BENCH_FLAGS)

bench-check: build ## measures revq alone against Benchmarks/thresholds.json; wants a quiet machine
	PYTHONPATH=Benchmarks python3 -m revq_bench.check

bench-load: build ## loads and attacks the server (BENCH_FLAGS="overload slow" measures these); wants a quiet machine
	PYTHONPATH=Benchmarks python3 -m revq_bench.load $(BENCH_FLAGS)

packages:
	$(call install,$(LIBRARIES))

mpi: ## installs Open MPI
	$(call install,$(MPI))

$(PEERS): Benchmarks/requirements.txt
	$(call install,python3 python3-venv)
	python3 -m venv .bench/venv
	.bench/venv/bin/python -m pip install --quiet --requirement $<
	touch $@

$(TOOLS)/ready: Tools/requirements.txt
$(DEPLOYMENT)/ready: Tools/requirements-deployment.txt
$(TOOLS)/ready $(DEPLOYMENT)/ready:
	$(call install,python3 python3-venv)
	python3 -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

$(CLIENT)/ready: clients/python/pyproject.toml clients/python/tests/requirements.txt
	$(call install,python3 python3-venv)
	python3 -m venv $(CLIENT)
	$(CLIENT)/bin/python -m pip install --quiet --disable-pip-version-check --requirement clients/python/tests/requirements.txt \
	  --editable clients/python
	touch $@

$(API)/ready: Tests/APITests/requirements.txt
	$(call install,python3 python3-venv)
	python3 -m venv $(API)
	$(API)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

$(PAGES)/ready: Tests/PageTests/requirements.txt
	$(call install,python3 python3-venv chromium curl jq)
	python3 -m venv $(PAGES)
	$(PAGES)/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	touch $@

clean: ## removes everything that was built, but no runs
	rm -rf .build .build-tests .build-fuzz .build-docs .build-aarch64 $(TOOLS) $(DEPLOYMENT) $(CLIENT) $(PAGES) $(API)
