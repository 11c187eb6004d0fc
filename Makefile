# Everything that a person or a machine asks of this repository. Each target brings what it needs.
#
#   make dev       builds the service and starts it on loopback, with an emulated Google; DEV_ARGS go to `dev`
#   make demo      a small Cassius around the service, on one address: settings pages, calendar, emulated Google
#   make gallery   every state of the settings pages, to be played with: theme, width, language
#   make test      every test: the service on SQLite and on PostgreSQL, the clients, and the whole in a browser
#   make lint      formatting, clippy, documentation, the wire, dependencies, what the npm packages hold
#   make soak      the simulation and the killed process for longer: make soak SEEDS=50000 KILLS=500
#   make fuzz      what reads foreign bytes, for so many seconds each: make fuzz FOR=600
#   make sdk       descriptor set, Python wheel and Ruby gem for backends that are not Node, tested against the service
#   make bench     what the figures in the README come from
#   make contract  holds the emulator's claims against the real Google, with a test account

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/target/tools/bin:$(PATH)

CONTRACT := CONTRACT_GOOGLE_CLIENT_ID CONTRACT_GOOGLE_CLIENT_SECRET CONTRACT_GOOGLE_REFRESH_TOKEN

.PHONY: help dev demo gallery test soak fuzz lint sdk bench contract
help:
	@sed -n 's/^#   //p' Makefile

dev:
	@.ci/fetch cc
	@cargo run --locked -- dev $(DEV_ARGS)

demo:
	@echo '1/4  build of the calendar service: some minutes at the first time'
	@.ci/fetch cc
	@cargo build --locked
	@clients/prepare
	@cd clients && STEPS_BEFORE=1 npm run --silent demo

gallery:
	@clients/prepare
	@cd clients && npm run --silent gallery -w react

# Cargo's longest steps keep one core: what is read and built of the clients goes on beside them. Many tests wait for
# processes and disks: two of them share a core.
test: export RUST_TEST_THREADS ?= $(shell echo $$((2 * $$(nproc))))
test:
	@.ci/fetch cc grpcurl
	@mkdir -p target
	clients/check sources >target/clients.log 2>&1 & sources=$$!; \
	trap 'kill "$$sources" 2>/dev/null || true' EXIT; \
	cargo test --locked --no-run; \
	wait "$$sources" || { cat target/clients.log; exit 1; }; \
	cat target/clients.log
	tests/with-postgres cargo test --locked
	CASSIUS_CALENDAR_BINARY=$(CURDIR)/target/debug/cassius-calendar clients/check tests

# A seed that fails is printed with its trace; SIMULATION_SEED=<seed> runs it again.
soak: SEEDS ?= 50000
soak: KILLS ?= 500
soak:
	@.ci/fetch cc
	cargo test --locked --no-run
	SIMULATION_SEEDS=$(SEEDS) cargo test --locked --test integration simulation:: -- --include-ignored --nocapture
	KILLS=$(KILLS) tests/with-postgres cargo test --locked --test integration kill:: -- --nocapture

# Each of them runs in `make test` too, with few cases. PROFILE=test takes the build of the tests.
fuzz: FOR ?= 60
fuzz: PROFILE ?= bench
fuzz:
	@.ci/fetch cc
	cargo test --locked --profile $(PROFILE) --lib --config 'target."cfg(all())".runner = ["tests/fuzz", "$(FOR)"]' -- \
		whatever_a_request whatever_a_browser whatever_a_setting whatever_google_answers whatever_an_envelope \
		whatever_happens any_bytes_have_an_answer a_cut_error_has_an_answer

# The production build has other features than the tests', whose own dependencies add some: it is checked apart.
lint:
	@.ci/fetch cc lint
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --no-default-features -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps
	cd proto && buf lint
	cd proto && buf breaking --against wire.binpb
	clients/prepare
	cd clients && npm run --silent build -w node -w react >/dev/null && npm run --silent lint:packages
	cargo shear
	cargo deny --all-features --log-level warn check licenses bans sources
	@echo 'Advisories are not checked here, since their list comes over the network: cargo deny check advisories'

sdk:
	@.ci/fetch cc
	@clients/prepare
	@cargo build --locked
	clients/sdk/build
	cd clients && npx tsx sdk/check.ts

bench:
	@.ci/fetch cc
	benches/run $(BENCH_ARGS)

contract:
	@missing=''; for name in $(CONTRACT); do [ -n "$${!name:-}" ] || missing+=" $$name"; done; \
	if [ -n "$$missing" ]; then echo "Not set:$$missing (the README says how to get them)" >&2; exit 2; fi
	@.ci/fetch cc
	cargo test --locked --test integration google_keeps_the_contract -- --ignored --nocapture
