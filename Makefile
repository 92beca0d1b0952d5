# Thin targets; the work is in scripts/. `make run` and `make test` are all that a newcomer needs.

.DEFAULT_GOAL := help
.PHONY: help run test test-long bench conformance fuzz fmt clean

help: ## print this list
	@sed -n 's/^\([a-z-]*\): *## /  make \1\t/p' Makefile

run: ## build, then serve with no configuration
	@scripts/toolchain run
	cargo run --release --locked --package tollgate -- serve $(ARGS)

test: ## everything that is checked before a change lands
	@scripts/toolchain test
	@scripts/test

test-long: ## the same, with every client version and longer fuzzing
	@scripts/toolchain test
	@scripts/test --long

conformance: ## write docs/conformance.md anew, by running
	@TOLLGATE_CONFORMANCE=$(CURDIR)/docs/conformance.md cargo test -p tollgate --test conformance -- --nocapture

bench: ## measure against bare reverse proxies, side by side
	@scripts/toolchain bench
	@bench/run

fuzz: ## ten minutes for each decoder
	@scripts/toolchain test
	@fuzz/run 600

fmt: ## format the Rust sources
	cargo fmt --all

clean: ## remove what builds and tests left
	cargo clean
	rm -rf target tests/clients/*/node_modules
