# Two commands do everything on a fresh Debian or Ubuntu machine with a Swift 6.3 toolchain: `make run` and `make test`.
HOST ?= 127.0.0.1
PORT ?= 8080
CHECKPOINTS ?= checkpoints

# A crashing test would otherwise spend minutes on a backtrace.
export SWIFT_BACKTRACE ?= enable=no

PACKAGES = libopenblas-dev libnghttp2-dev libpng-dev libjpeg-dev
SUDO = $(if $(filter 0,$(shell id -u)),,sudo)

.PHONY: run test bench build packages clean

run: build
	@echo
	@echo "  Serving on http://$(HOST):$(PORT) - try, from this folder in another shell:"
	@echo
	@echo "    curl -s --data-binary @Tests/Photographs/chelsea.jpg -H 'Content-Type: image/jpeg' http://$(HOST):$(PORT)/encode \\"
	@echo "      | curl -s --data-binary @- -H 'Content-Type: application/json' http://$(HOST):$(PORT)/decode > out.png"
	@echo
	@exec .build/release/revq-server --checkpoints $(CHECKPOINTS) --host $(HOST) --port $(PORT)

# Optimised, because the numerics are far too slow otherwise.
test: packages
	swift test -c release -Xswiftc -enable-testing

# Beside PyTorch, ONNX Runtime and OpenVINO, which are installed into .bench; BENCH_FLAGS=--quick is the short form.
BENCH_FLAGS ?=
PEERS = .bench/venv/ready

bench: build $(PEERS)
	PYTHONPATH=Benchmarks .bench/venv/bin/python -m peers $(BENCH_FLAGS)

$(PEERS): Benchmarks/peers/requirements.txt
	python3 -m venv .bench/venv
	.bench/venv/bin/python -m pip install --quiet --requirement $<
	touch $@

build: packages
	swift build -c release

packages:
	@missing=; for package in $(PACKAGES); do \
	  dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'install ok installed' || missing="$$missing $$package"; \
	done; \
	if [ -n "$$missing" ]; then \
	  echo "installing$$missing"; \
	  $(SUDO) apt-get update -qq && $(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	fi

clean:
	rm -rf .build
