# What a person does with livebridge: `make help` lists it. Everything needs Go and nothing else, except race (a C
# compiler), reproducible (git), confined (root on Linux), image (Docker), snapshot (goreleaser, syft, Docker),
# test-browser (Chromium, npm), and test-brokers and bench (Java 17 or later, Maven, Python 3).
GO        ?= go
# The program, its tests and the tools are built with the same flags, so that what they share is compiled once: without
# what debuggers read, which takes an eighth of the compiler's time. For a debugger build with go build alone.
export GOFLAGS := $(strip $(GOFLAGS) -trimpath -gcflags=all=-dwarf=false)
SBOM      := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
LINT      := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.6.2
BIN       := bin/livebridge
FUZZTIME  ?= 10s
# Those whose tests take the longest begin first.
PACKAGES  := ./cmd/livebridge $(addprefix ./transports/,kafka nats nats/partitions nats/embedded nats/lease) \
  $(addprefix ./bridge/,journal ingress status cluster) ./...
# More tests at a time than there are cores, for most of them wait for half of their time or longer; without symbols for
# a debugger, which takes the linker a third less; without what go vet says by itself in .ci/run; and with a compiler
# that seldom collects its garbage, which takes it a twelfth less. What it makes is the same; the tests collect theirs.
TESTING   := -parallel 8 -ldflags=-w -vet=off -toolexec 'env GOGC=800'

# The short form has its files in memory where Linux has room for them, as Docker's containers have not: a tenth of its
# time is the disk's. The long form, which CI runs, and the detector of races have them on the disk.
IN_MEMORY := $(shell [ -k /dev/shm ] && ! grep -qs ' /dev/shm .*noexec' /proc/mounts && df -Pk /dev/shm | \
  awk 'NR == 2 && $$4 > 2000000 { print "-exec \"env TMPDIR=/dev/shm\"" }')

# A key for trying things out on one's own machine, which everybody knows, and so loopback alone. Set
# LIVEBRIDGE_STREAM_KEY and LIVEBRIDGE_LISTEN to have your own.
LIVEBRIDGE_STREAM_KEY ?= development-key-0123456789abcdef
LIVEBRIDGE_LISTEN     ?= 127.0.0.1:8080

.PHONY: help build run demo test test-brokers test-browser race bench lint generate deployments test-deployments \
  promtool test-monitoring fuzz mutants mutation prove cover vuln sbom reproducible confined image snapshot clean

help:               ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "  %-16s %s\n", $$1, $$2 }'

build:              ## build bin/livebridge
	CGO_ENABLED=0 $(GO) build -o $(BIN) ./cmd/livebridge

run: build          ## start the service with a development key, on the embedded NATS server
	@echo "callbacks: http://$(patsubst :%,127.0.0.1:%,$(LIVEBRIDGE_LISTEN))/live/stream" \
	  "  key: $(LIVEBRIDGE_STREAM_KEY)   events: nats://$(or $(LIVEBRIDGE_NATS_EMBEDDED_LISTEN),127.0.0.1:4222)"
	@LIVEBRIDGE_STREAM_KEY=$(LIVEBRIDGE_STREAM_KEY) LIVEBRIDGE_LISTEN=$(LIVEBRIDGE_LISTEN) exec $(BIN) serve

demo: build         ## play the provider against the service and print callbacks in and events out
	$(BIN) demo

test:               ## run the tests; with TEST_ALL=1 in their long form, as CI does
	CGO_ENABLED=0 $(GO) test $(if $(TEST_ALL),,-short -p 4 $(IN_MEMORY)) $(TESTING) $(PACKAGES)

test-brokers:       ## run the tests that start real brokers: Kafka (from Maven's packages) and nats-server
	@for program in java mvn python3; do command -v $$program >/dev/null || \
	  { echo "test-brokers needs $$program: Java 17 or later, Maven and Python 3 with venv"; exit 1; }; done
	CGO_ENABLED=0 $(GO) test -tags brokers -p 1 -count 1 -timeout 15m ./transports/... ./cmd/livebridge -run \
	  "^($$(grep -rl --include='*_test.go' '^//go:build brokers' transports cmd | \
	  xargs grep -ho '^func Test[A-Za-z0-9]*' | sed 's/func //' | sort -u | paste -sd '|' -))$$"

test-browser:       ## test the status page in Chromium, with axe-core, which comes from npm
	@for program in chromium npm; do command -v $$program >/dev/null || \
	  { echo "test-browser needs $$program"; exit 1; }; done
	CGO_ENABLED=0 $(GO) test -tags browser -count 1 ./bridge/status

# The short form: the detector makes it several times as slow, and to it more cases are the same goroutines again.
race:               ## run the tests with the race detector
	CGO_ENABLED=1 $(GO) test -race -short $(TESTING) -timeout 20m $(PACKAGES)

lint:               ## run the linters
	$(GO) run $(LINT) run

generate:           ## write the handbook's reference of settings from config.go
	CGO_ENABLED=0 $(GO) generate ./...

deployments:        ## write the plain manifests and the dashboard, and the Helm chart's copies
	cd .ci/deployments && CGO_ENABLED=0 $(GO) run .

# What it reads is outside of its module, and so no reason for Go to test again: -count.
test-deployments:   ## check the Helm chart, the manifests and the dashboard
	cd .ci/deployments && CGO_ENABLED=0 $(GO) vet . && CGO_ENABLED=0 $(GO) test -count 1 .

# promtool and Prometheus without what discovers targets, which takes longest to build and is not used.
promtool:           ## build bin/promtool and bin/prometheus, and test the alert rules
	cd .ci/prometheus && CGO_ENABLED=0 $(GO) build -tags remove_all_sd -o ../../bin/ tool
	bin/promtool check config deployments/prometheus/prometheus.yaml
	bin/promtool test rules deployments/prometheus/alerts.test.yaml

test-monitoring: promtool ## play an outage with a real Prometheus: alerts and the dashboard's queries
	CGO_ENABLED=0 $(GO) test -tags monitoring -count 1 ./cmd/livebridge -run '^TestMonitored'

vuln:               ## look up known vulnerabilities in the program's modules
	$(GO) run golang.org/x/vuln/cmd/govulncheck@latest ./...

cover:              ## print the tests' coverage
	CGO_ENABLED=0 $(GO) test -coverprofile=bin/cover.out ./... && $(GO) tool cover -func=bin/cover.out | tail -1

# An interrupt ends it, not -fuzztime: at that deadline the fuzzing coordinator sometimes reports its own
# "context deadline exceeded" as a failure. --foreground keeps the interrupt from the worker, which could end before
# the coordinator knows why. Minimizing what is merely new would take up to a minute an input.
fuzz:               ## fuzz every target for FUZZTIME, two at a time
	@grep -r --include='*_test.go' -o '^func Fuzz[A-Za-z0-9]*' bridge transports | sed 's|/[^/]*:func | |' | \
	  xargs -P 2 -n 2 sh -c 'CGO_ENABLED=0 $(GO) test ./$$0 -run "^$$" -fuzz "^$$1$$" -parallel 1 -fuzzminimizetime 100x \
	    -exec "timeout --foreground --preserve-status -s INT $(FUZZTIME)" || exit 255'

mutants:            ## plant the listed faults one by one; the tests of the package must find each
	$(GO) run ./cmd/mutants -whole

mutation:           ## plant every small fault that gremlins knows into the packages that decide, or those of IN: for a night
	nice .ci/mutation $(IN)

prove:              ## test order and durability with many more seeds and kills, and all with the race detector (hours)
	CGO_ENABLED=1 $(GO) test -race -parallel 8 -timeout 60m $(PACKAGES)
	CGO_ENABLED=0 $(GO) test ./bridge/sequencer -run Long -rapid.checks 100000
	CGO_ENABLED=0 $(GO) test ./bridge/processor ./bridge/outbox ./bridge/store ./bridge/journal \
	  -run 'Table|AnyOrder|TheView|OnAStore' -rapid.checks 20000 -timeout 30m
	CGO_ENABLED=0 $(GO) test ./bridge/processor -run Explore -explore.every 1 -timeout 30m
	CGO_ENABLED=0 $(GO) test ./bridge/journal -run Campaigns -power.seeds 50000 -batch.seeds 20000 -timeout 30m
	CGO_ENABLED=0 $(GO) test ./transports/nats/embedded -run PowerLoss -power.seeds 2000 -timeout 30m
	CGO_ENABLED=0 $(GO) test ./cmd/livebridge -run 'Simulation$$' -simulation.seeds 200 -timeout 60m
	CGO_ENABLED=0 $(GO) test ./cmd/livebridge -run 'Kill|Disk|NoSpace|Broker|Cluster|Stream' -count 10 -timeout 60m
	CGO_ENABLED=0 $(GO) test -tags brokers ./transports/kafka -run ReplicaCrashes -replicas.kills 100 -timeout 60m
	CGO_ENABLED=0 $(GO) test -tags brokers ./transports/kafka -run ReplicaCrashes -replicas.kills 100 -replicas.nodes 3 \
	  -timeout 60m
	CGO_ENABLED=0 $(GO) test -tags brokers ./cmd/livebridge -run ReplicaCampaign -campaign.kills 100 \
	  -campaign.outage 1m -timeout 120m
	CGO_ENABLED=0 $(GO) test -tags brokers ./cmd/livebridge -run ReplicaCampaignKafka -campaign.kills 100 \
	  -campaign.outage 1m -campaign.nodes 3 -timeout 90m

sbom: build         ## write bin/livebridge.cdx.json (CycloneDX): every module in the program with its hash
	$(GO) run $(SBOM) bin -json -noserial -output $(BIN).cdx.json $(BIN)
	@$(GO) version -m $(BIN) | awk '$$1 == "dep" { print "pkg:golang/" $$2 "@" $$3 }' | while read -r module; do \
	  grep -qF "\"$$module?" $(BIN).cdx.json || { echo "$$module is missing in $(BIN).cdx.json"; exit 1; }; done

reproducible:       ## build the last commit twice, in two directories, and compare the bytes
	@place=$$(mktemp -d) && trap 'rm -rf "$$place"' EXIT && \
	  git clone -q . "$$place/a" && git clone -q . "$$place/b/below" && \
	  $(MAKE) -s -C "$$place/a" build && GOCACHE="$$place/cache" $(MAKE) -s -C "$$place/b/below" build && \
	  sha256sum "$$place/a/$(BIN)" "$$place/b/below/$(BIN)" && cmp "$$place/a/$(BIN)" "$$place/b/below/$(BIN)"

confined: build     ## run the program as the image does: as nobody, on a read-only root (needs root)
	.ci/confined $(BIN)

image:              ## build the image with Docker
	docker build -f deployments/Dockerfile -t livebridge .

snapshot:           ## build what a release holds, without publishing it: binaries, checksums, SBOM, image
	goreleaser release --snapshot --clean --skip publish

clean:              ## remove bin, dist and data
	rm -rf bin dist data

bench:              ## run the benchmarks, which compare ratios within one run
	CGO_ENABLED=0 $(GO) test -tags brokers ./cmd/livebridge ./bridge/journal ./bridge/store ./bridge/cluster -run '^$$' \
	  -bench 'Accept|Latency|Start|Backlog|Lanes|Unseen|Takeover|Scale' -benchtime 1x -p 1 -timeout 90m
