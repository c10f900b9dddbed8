GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
LAB := go -C internal/lab
NESTED := examples/orm examples/relay

# What to test and on which engine (auto, mariadb, mariadb-11.8, mysql, tidb, galera), further flags of go test and of the runner.
PKG ?= ./...
ENGINE ?= auto
TESTFLAGS ?=
ENGINEFLAGS ?=
# SQL tests wait for the server more than they work: many at once, and on a slow disk for long.
ENGINETEST = $(LAB) run ./cmd/enginetest -engine $(ENGINE) $(ENGINEFLAGS) -- -parallel 12 -timeout 60m

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: ## each case once, in 4 minutes, on the server of HOLDFAST_TEST_DSN, an installed one or a new MariaDB (ENGINE=mysql PKG=./stock)
	@$(ENGINETEST) -short $(TESTFLAGS) $(PKG)

.PHONY: test-full
test-full: ## each case in all ways, under all DSNs and settings, long races and models
	@echo "test-full takes about 20 minutes with 2 cores; make test takes 4"
	@$(ENGINETEST) $(TESTFLAGS) $(PKG)

.PHONY: test-nested
test-nested: ## the tests of examples/orm and examples/relay, modules of their own, on such a server
	@for dir in $(NESTED); do \
		$(LAB) run ./cmd/enginetest -engine $(ENGINE) $(ENGINEFLAGS) -dir ../../$$dir -- -parallel 12 -timeout 60m $(TESTFLAGS) $(PKG) || exit 1; done

.PHONY: test-lab
test-lab: ## the tests of internal/lab
	@$(LAB) test $(TESTFLAGS) ./...

# Flags of the load tool: make bench BENCHFLAGS="-json bench.json -svg internal/lab/charts"; its -h explains them.
BENCHFLAGS ?=

.PHONY: bench
bench: ## how fast, beside what else there is, on MariaDB and MySQL (25 minutes; 90 with BENCHFLAGS=-full)
	@$(LAB) run ./cmd/bench -dir $(CURDIR) $(BENCHFLAGS)

.PHONY: bench-smoke
bench-smoke: ## the same for a moment each, on MariaDB: does it work
	@$(LAB) run ./cmd/bench -dir $(CURDIR) -smoke $(BENCHFLAGS)

.PHONY: lint
lint: gofmt vet golangci ## gofmt, vet and golangci, each also on its own

.PHONY: gofmt
gofmt:
	@unformatted=$$(gofmt -l .) && test -z "$$unformatted" || { echo "gofmt would change $$unformatted"; exit 1; }

.PHONY: vet
vet:
	@go vet ./...
	@$(LAB) vet ./...
	@for dir in $(NESTED); do go -C $$dir vet ./... || exit 1; done

.PHONY: golangci
golangci:
	@go run $(GOLANGCI_LINT) run ./...
	@$(LAB) run $(GOLANGCI_LINT) run ./...
	@for dir in $(NESTED); do go -C $$dir run $(GOLANGCI_LINT) run ./... || exit 1; done

.PHONY: check
check: ## what the module requires, what its packages reach, how its types are named
	@go mod tidy -diff
	@$(LAB) mod tidy -diff
	@for dir in $(NESTED); do go -C $$dir mod tidy -diff || exit 1; done
	@$(LAB) run ./cmd/layercheck

.PHONY: oldest
oldest: ## the module compiled by the oldest Go that users may have
	@GOTOOLCHAIN=go$$(go list -m -f '{{.GoVersion}}') go build ./...

# Users compile the module, not the laboratory. Only a database that is out of reach is forgiven.
.PHONY: vuln
vuln: ## known vulnerabilities in what the module reaches
	@found=$$($(LAB) tool govulncheck -C ../.. ./... 2>&1) || case "$$found" in \
	*"govulncheck: fetching vulnerabilities:"*) found="vuln: skipped, the vulnerability database is out of reach";; \
	*) echo "$$found"; exit 1;; esac; echo "$$found"
