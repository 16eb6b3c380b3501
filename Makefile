# gantry. `make help` lists the targets.
SHELL := /bin/bash
GO ?= go
CACHE := .cache
LINT_VERSION := v2.15.0
LINT := $(CACHE)/bin/golangci-lint-$(LINT_VERSION)
TIMEOUT ?= 40m

.PHONY: help demo test test-quick trials build check fmt lint house generate bench fuzz setup clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: ## boot a real kernel for a pull request, and show its check (DEMO_REPO=, DEMO_EXPECT=, DEMO_STAY=1)
	@test/setup/install.sh demo
	@CGO_ENABLED=0 $(GO) run ./test/demo

# Packages without goroutines: the race detector finds nothing in them, and makes them slower, up to twenty times.
# test/house holds that they have none.
RACELESS := ./internal/plaintext ./internal/printk ./internal/schema ./internal/shell ./internal/terminal \
  ./jobs ./jobs/config ./jobs/lab ./results/... ./runner/deploy ./runner/overlay ./test/house
# The longest of the others come first. Guests and other processes are waited for most of the time: more tests at once
# than there are processors.
LONGEST := ./runner ./test/lavaequal ./app
RACED = $(filter-out $(shell $(GO) list $(RACELESS) $(LONGEST)),$(shell $(GO) list ./...))
GUESTS := -parallel 4

test: setup ## every test, with real QEMU, PostgreSQL and a browser
	@failed=0; set -x; \
	$(GO) test -timeout $(TIMEOUT) $(TESTFLAGS) $(RACELESS) || failed=1; \
	$(GO) test -race $(GUESTS) -timeout $(TIMEOUT) $(TESTFLAGS) $(LONGEST) $(RACED) || failed=1; \
	exit $$failed

test-quick: ## the tests that need no guest, browser, container or database server
	$(GO) test -short -timeout $(TIMEOUT) $(TESTFLAGS) ./...

trials: ## the long experiments, or one of them (TRIAL=name, ARGS= for it)
	@ARGS="$(ARGS)" test/setup/trials.sh $(TRIAL)

build: ## bin/gantry
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/gantry .

check: fmt-check house lint generate-check ## format, lint, import rules, generated code up to date

fmt: $(LINT) ## format all code
	$(LINT) fmt ./...

.PHONY: fmt-check generate-check
fmt-check: $(LINT)
	@$(LINT) fmt --diff ./...

lint: $(LINT) ## golangci-lint
	$(LINT) run ./...

house: ## import rules and package docs
	$(GO) vet ./...
	$(GO) test -count=1 ./test/house

generate: ## make generated code anew
	$(GO) generate ./...

generate-check:
	@before=$$(git status --porcelain); $(GO) generate ./... && \
	  if [ "$$before" != "$$(git status --porcelain)" ]; then git --no-pager diff; echo "generated code is not up to date: run make generate"; exit 1; fi

bench: ## benchmarks
	$(GO) test -run '^$$' -bench . -benchmem ./...

fuzz: ## each fuzz target for FUZZTIME (default 1m)
	@test/setup/fuzz.sh $${FUZZTIME:-1m}

setup: ## install what the tests need, and make what they boot
	@test/setup/install.sh test
	@$(GO) run ./test/setup

clean: ## remove what was built and cached
	rm -rf bin $(CACHE)

# Built without the project's go.mod: a linter's dependencies are none of ours.
$(LINT):
	@mkdir -p $(dir $(LINT))
	GOBIN=$(abspath $(dir $(LINT))) $(GO) install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	@mv $(dir $(LINT))golangci-lint $(LINT)
