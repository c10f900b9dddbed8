GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
LAB := go -C internal/lab

# What to test, further flags of go test, and flags of the runner (-engine, -summary).
PKG ?= ./...
# SQL tests wait for the server more than they work: many at once, and on a slow disk for long.
TESTFLAGS ?=
PARALLEL ?= 12
ENGINEFLAGS ?=

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9.-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: ## all tests on the server of HOLDFAST_TEST_DSN, an installed one or a new MariaDB (TESTFLAGS=-race PKG=./stock)
	@$(LAB) run ./cmd/enginetest $(ENGINEFLAGS) -- -parallel $(PARALLEL) -timeout 30m $(TESTFLAGS) $(PKG)

.PHONY: test-mysql
test-mysql: ## all tests on MySQL 9.7
	@$(LAB) run ./cmd/enginetest -engine mysql $(ENGINEFLAGS) -- -parallel $(PARALLEL) -timeout 30m $(TESTFLAGS) $(PKG)

.PHONY: test-mariadb-11.8
test-mariadb-11.8: ## all tests on MariaDB 11.8, whose transactions do not change what is newer than their snapshot
	@$(LAB) run ./cmd/enginetest -engine mariadb-11.8 $(ENGINEFLAGS) -- -parallel $(PARALLEL) -timeout 30m $(TESTFLAGS) $(PKG)

.PHONY: test-lab
test-lab: ## the tests of internal/lab
	@$(LAB) test $(TESTFLAGS) ./...

# Flags of the load tool: make bench BENCHFLAGS="-json bench.json -svg internal/lab/charts"; its -h explains them.
BENCHFLAGS ?=

.PHONY: bench
bench: ## how fast, beside what else there is, on MariaDB and MySQL (20 minutes)
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

.PHONY: golangci
golangci:
	@go run $(GOLANGCI_LINT) run ./...
	@$(LAB) run $(GOLANGCI_LINT) run ./...

.PHONY: check
check: ## what the module requires and what its packages reach
	@go mod tidy -diff
	@$(LAB) mod tidy -diff
	@$(LAB) run ./cmd/layercheck

.PHONY: oldest
oldest: ## the packages compiled by the oldest Go that users may have
	@GOTOOLCHAIN=go$$(go list -m -f '{{.GoVersion}}') go build ./stock/... ./coupon/... ./redpacket/... ./groupbuy/... ./sqlstore/...

# Users compile the module, not the laboratory. Only a database that is out of reach is forgiven.
.PHONY: vuln
vuln: ## known vulnerabilities in what the module reaches
	@found=$$($(LAB) tool govulncheck -C ../.. ./... 2>&1) || case "$$found" in \
	*"govulncheck: fetching vulnerabilities:"*) found="vuln: skipped, the vulnerability database is out of reach";; \
	*) echo "$$found"; exit 1;; esac; echo "$$found"
