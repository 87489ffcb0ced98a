# Everything a developer or an operator does, one target each. `make` lists them.
.DEFAULT_GOAL := help
.SUFFIXES:

PYTHON ?=
ARCH ?= x86_64
STACK ?= mcn-levels
KEY ?=
SET ?=
EVENT ?= events/monthly-run.json
ORDERS ?= 5000000
export PYTHON SAM_CLI_TELEMETRY := 0
# Compiled modules are kept, also where the environment says otherwise: else every process compiles all that it imports.
export PYTHONDONTWRITEBYTECODE :=

python := .venv/bin/python
sam := .venv/sam/bin/sam
# Offline commands of SAM and cfn-lint need a region, and must not wait for a cloud that isn't there.
offline := AWS_DEFAULT_REGION=us-east-1 AWS_ENDPOINT_URL_STS=http://127.0.0.1:9 AWS_MAX_ATTEMPTS=1
# What Docker runs here, whatever is built for AWS.
machine := $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,x86_64)
packaged := template.yaml Makefile $(shell find functions shared config build requirements -type f ! -name '*.pyc')
# Values reach the shell as environment variables, whatever they hold.
# Some names are environment variables that mean something else: only those given to make itself count.
named = $(if $(filter command line,$(origin $1)),$2 "$${$1}")
local = $(if $(LOCAL),--local $(if $(filter command line,$(origin PORT)),$(PORT),3000))
operate = $(python) -m tools.operate $(local)

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9%-]+:.*## / {printf "%-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# --- a laptop -----------------------------------------------------------------------------------------------------------

.PHONY: setup setup-demo demo serve test check audit bench docs
setup: ## Make .venv (done by the other targets too; PYTHON=… chooses the interpreter)
	@build/setup.sh dev

setup-demo:
	@build/setup.sh demo

demo: setup-demo ## Rate three months of sample data and look levels up, all on this machine: [WORKBOOK=levels.xlsx] [ENGINE=spark]
	@$(if $(filter spark,$(ENGINE)),build/setup.sh spark)
	@$(python) -m local.demo $(call named,WORKBOOK,--workbook) $(call named,ENGINE,--engine)

serve: setup-demo ## API and pages on 127.0.0.1, over the sample: [EXTRACTS=folder] [WORKBOOK=levels.xlsx or folder] [PORT=3000]
	@$(python) -m local.serve $(call named,PORT,--port) $(call named,EXTRACTS,--extracts) $(call named,WORKBOOK,--workbook)

# One process more than processors: tests wait, too, for processes that they start and for clocks.
workers := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
pytest := $(python) -m pytest --numprocesses $(workers) --dist loadfile --no-loadscope-reorder

test: setup ## All tests except those in real runtimes (make e2e)
	@build/setup.sh sam
	$(pytest) --ignore tests/e2e --durations 20

.PHONY: soak
soak: setup ## Many months with random kills, faults and decisions, checked by a separate judge: MINUTES=10 [SEED=…]
	@$(python) -m tests.soak $(call named,MINUTES,--minutes) $(call named,SEED,--seed)

ifdef LOCAL
check: check-workbook
else
check: setup ## Style, types, security, template, contracts
	@build/setup.sh sam
	@$(MAKE) --no-print-directory $(if $(filter output-sync,$(.FEATURES)),--output-sync=recurse) --jobs 2 $(gates)
# `make check test` leaves the contracts to the tests: one start for all.
	$(if $(filter test,$(MAKECMDGOALS)),,$(pytest) tests/contract)

# Side by side; the longest come first.
gates := gate-types gate-template gate-security gate-style gate-vulnerabilities
.PHONY: $(gates)
gate-types:
	$(python) -m mypy
	$(python) -m mypy build

gate-template:
	$(offline) .venv/bin/cfn-lint --regions us-east-1 ap-east-1 ap-southeast-1 cn-north-1 cn-northwest-1 -- template.yaml
	$(offline) $(sam) validate --lint

gate-security:
	$(python) -m bandit --quiet --configfile pyproject.toml --severity-level medium --recursive functions shared tools local bench build

gate-style:
	$(python) -m ruff check .
	$(python) -m ruff format --check .

gate-vulnerabilities:
	$(python) build/vulnerabilities.py
endif

docs: setup ## Write the generated parts of docs/ and config/ again
	@$(python) -m tools.docs

audit: setup ## List known vulnerabilities of the dependencies
	$(python) build/vulnerabilities.py

bench: setup ## Measure speed and memory, and compare with plain queries: ORDERS=5000000 (ENGINE=spark: with Spark)
	@build/setup.sh $(if $(filter spark,$(ENGINE)),spark,bench)
	@$(python) -m $(if $(filter spark,$(ENGINE)),bench.spark,bench --orders $(ORDERS))

# --- operating a month ----------------------------------------------------------------------------------------------------

# LOCAL=1 asks the function of `make serve` (on PORT) instead of the deployed one.
.PHONY: check-workbook check-extracts refresh backfill accept rollback preview verify repair sheet
check-workbook: setup-demo ## List the workbook's faults; also make check LOCAL=1
	@$(operate) check

check-extracts: setup-demo ## Check a month's data before a run reads it: FOLDER=… (or s3://…) MONTH=2026-10 [WORKBOOK=levels.xlsx]
	@$(python) -m tools.check_extracts "$$FOLDER" "$$MONTH" $(call named,WORKBOOK,--workbook)

refresh: setup-demo ## Publish changed texts, and show from when a changed threshold counts: [BY=… REASON=… CONFIRMS=<changes_id> takes away]
	@$(operate) refresh $(call named,BY,--by) $(call named,REASON,--reason) $(call named,CONFIRMS,--confirms)

backfill: setup-demo ## Rate months again: FROM=2026-08 TO=2026-10
	@$(operate) backfill "$$FROM" "$$TO"

accept: setup-demo ## Publish a held run: RUN=… BY=… REASON=… [ANYWAY=1, even if its data or publication changed since]
	@$(operate) accept "$$RUN" --by "$$BY" --reason "$$REASON" $(if $(filter 1,$(ANYWAY)),--anyway)

rollback: setup-demo ## Go back to an earlier run: RUN=… BY=… REASON=…
	@$(operate) rollback "$$RUN" --by "$$BY" --reason "$$REASON"

preview: setup-demo ## Show whose level would change: MONTH=2026-10
	@$(operate) preview "$$MONTH"

verify: setup-demo ## Recompute a run and compare it: RUN=…
	@$(operate) verify "$$RUN"

repair: setup-demo ## Write a damaged month again as it was published: MONTH=2026-10
	@$(operate) repair "$$MONTH"

sheet: setup ## Build or upgrade the Google Sheet: KEY=<spreadsheet key> [LANG=zh|en] [APPROVERS=a@x.com,b@x.com]
	@$(python) -m tools.sheet "$$KEY" $(call named,LANG,--lang) $(call named,APPROVERS,--approvers)

.PHONY: workbook diff pull
workbook: setup ## Write the Excel file that operations edit, filled with the example: INTO=levels.xlsx [LANG=zh|en]
	@$(python) -m tools.workbook "$$INTO" $(call named,LANG,--lang)

diff: setup-demo ## Show the differences between two versions of the workbook, cell by cell: A=… B=… (ids of rulebooks, files, s3://…)
	@$(python) -m tools.diff $(local) "$$A" "$$B"

pull: setup-demo ## Write a workbook as a folder of CSV files: KEY=<spreadsheet key> or WORKBOOK=levels.xlsx, INTO=folder
	@$(python) -m tools.pull $(local) $(if $(KEY),"gsheet:$$KEY","$$WORKBOOK") "$$INTO"

# --- real runtimes ----------------------------------------------------------------------------------------------------------

.PHONY: build build-RatingFunction build-LookupFunction build-OperationsFunction invoke start-api stop e2e pictures matrix deploy
build: setup ## Build the packages for Lambda: ARCH=x86_64|arm64
	@build/setup.sh sam
	$(offline) ARCH=$(ARCH) $(sam) build --parameter-overrides Architecture=$(ARCH)
	@$(python) build/glue.py --into .aws-sam/measuring
	@rm -f .aws-sam/built-* && touch .aws-sam/built-$(ARCH)

# Built again when something that goes into the packages, or decides what does, is newer.
.aws-sam/built-%: $(packaged)
	@$(MAKE) --no-print-directory build ARCH=$*

# `sam build` calls these two, with ARTIFACTS_DIR.
build-RatingFunction:
	@"$(CURDIR)/.venv/bin/python" build/package.py rating --arch $(ARCH) --into "$(ARTIFACTS_DIR)"

build-LookupFunction:
	@"$(CURDIR)/.venv/bin/python" build/package.py lookup --arch $(ARCH) --into "$(ARTIFACTS_DIR)"

build-OperationsFunction:
	@"$(CURDIR)/.venv/bin/python" build/package.py operations --arch $(ARCH) --into "$(ARTIFACTS_DIR)"

invoke: .aws-sam/built-$(machine) ## Run sam local invoke with an embedded AWS, both in Docker: EVENT=events/monthly-run.json
	@$(python) -m local.cloud.containers invoke "$(EVENT)"

invoke-%: ## Run it with an event by name: make invoke-api-card
	@$(MAKE) --no-print-directory invoke EVENT=events/$*.json

start-api: .aws-sam/built-$(machine) ## Run sam local start-api on 127.0.0.1:3000 with an embedded AWS
	@$(python) -m local.cloud.containers start-api

stop: setup ## Delete the data of invoke and start-api
	@$(python) -m local.cloud.containers stop

e2e: setup ## Test in real runtimes: packages, runtime interface, Docker, a deployed stack; two minutes of soak (8 minutes)
	@build/setup.sh sam
	@build/setup.sh e2e
	@build/setup.sh clients
	@build/setup.sh spark
	$(pytest) --numprocesses 3 tests/e2e -rs --durations 20

pictures: setup ## Take the pictures of the pages in README again
	@$(python) -m tests.e2e.pictures

matrix: ## Run demo and test in fresh clones with Python 3.11, 3.12 and 3.13
	@build/matrix.sh

deploy: setup ## Deploy to AWS (docs/deploy.md): STACK=… [SET="Name=value …"] [ARCH=arm64]
	@build/setup.sh sam
	@$(python) -m tools.deploy --stack "$(STACK)" --set "$(SET)$(if $(filter command line,$(origin ARCH)), Architecture=$(ARCH))"

.PHONY: smoke
smoke: setup ## Check a deployed stack from outside, and list what is proved: STACK=… (or SHEET=<spreadsheet key>)
	@$(python) -m tools.smoke $(or $(call named,SHEET,--sheet),--stack "$(STACK)")

# --- housekeeping -------------------------------------------------------------------------------------------------------------

.PHONY: lock
lock: setup ## Pin the dependencies again from requirements/*.in
	@build/lock.sh
