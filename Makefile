# Roadstead. `make up` runs the registry on this machine; `make help` lists the rest.

PORT ?= 5000
STATE ?= .state
FRONT ?= all
BLOBS_AT ?= s3
LISTEN ?= 127.0.0.1
URL ?=
SCREENSHOTS ?= screenshots
SETTINGS ?= infra/roadstead.toml
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
S3_VENV := .venv-s3
WITNESS_VENV := .venv-witnesses
UV := $(BIN)/uv

.DEFAULT_GOAL := help
.PHONY: help up down reset audit providers console console-test screenshots test suites e2e-if-installed installed test-lambda oidc-provider check e2e e2e-latest e2e-large bench lock synth

help: ## list these targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

up: $(VENV)/local.stamp ## run the registry until Ctrl-C: PORT=5000 STATE=.state FRONT=all|edge|none BLOBS_AT=s3|distribution LISTEN=127.0.0.1 URL=https://… COLLECT_GRACE=… COLLECT_FENCE=… LDAP_CA=…
	@exec $(BIN)/python -m local up --port $(PORT) --state "$(STATE)" --front $(FRONT) --blobs-at $(BLOBS_AT) --listen $(LISTEN) --url "$(URL)" --build-console \
	  $(if $(COLLECT_GRACE),--collect-grace $(COLLECT_GRACE)) $(if $(COLLECT_FENCE),--collect-fence $(COLLECT_FENCE)) $(if $(LDAP_CA),--ldap-ca "$(LDAP_CA)")

down: ## stop the one that runs with STATE=.state
	@test ! -e "$(STATE)" || exec $(BIN)/python -m local down --state "$(STATE)"

reset: ## stop it and delete all that was pushed to STATE=.state
	@test ! -e "$(STATE)" || exec $(BIN)/python -m local reset --state "$(STATE)"

audit: $(VENV)/local.stamp ## print the audit trail of STATE=.state as JSON lines; FOLLOW=1, ASK="pulls DIGEST|failed-logins|deletions|pushes"
	@exec $(BIN)/python -m local audit --state "$(STATE)" $(if $(FOLLOW),--follow) --ask "$(ASK)"

providers: $(VENV)/dev.stamp ## run a directory (slapd) and a provider of OpenID Connect to try `make up` with: PORT=5000 STATE=.state
	@exec $(BIN)/python -m tests.providers --registry http://127.0.0.1:$(PORT) --password-file "$(STATE)/admin-password"

# What tests/e2e drives. In CI a missing client is a failure; elsewhere those tests are left out, and it is said.
CLIENTS := dockerd docker containerd ctr runc skopeo podman buildah umoci jq chromium

console: $(VENV)/local.stamp ## build the web console into console/dist/, if its source has changed
	@$(BIN)/python -m console.build

console-test: $(VENV)/dev.stamp ## the console's types and unit tests, on the built files
	@$(BIN)/python -m console.check

screenshots: $(VENV)/dev.stamp ## every page of the console in both themes and on a phone, to SCREENSHOTS=screenshots/ (needs Chromium)
	$(BIN)/python -m tests.e2e.console.screenshots $(SCREENSHOTS)

test: installed ## all tests; those with real clients too when they are installed, or with CI=true
	@$(MAKE) --no-print-directory -j 2 suites e2e-if-installed

# Everything that the tests stand on. `make -j installed` fetches side by side.
installed: $(VENV)/dev.stamp $(S3_VENV)/strict-s3.stamp $(WITNESS_VENV)/witnesses.stamp oidc-provider

# All but tests/e2e, which waits more than it works: both at once take little longer than the longer one. Workers steal
# work, so that tests of one module, and what they share, are almost always one worker's.
suites: installed
	$(BIN)/python -m pytest -n 2 --dist worksteal --ignore tests/e2e tests

e2e-if-installed:
	@missing=; for client in $(CLIENTS); do command -v $$client >/dev/null || missing="$$missing $$client"; done; \
	if [ "$$CI" = true ] || [ -z "$$missing" ]; then $(MAKE) --no-print-directory e2e; \
	else echo "tests/e2e left out, not installed:$$missing (.ci/run installs them)"; fi

# npm's provider of OpenID Connect, which tests sign in by; nothing is fetched unless its lock file has changed.
oidc-provider: $(VENV)/dev.stamp
	@$(BIN)/python -m tests.oidc_provider

# The Python of the setting `python` (infra/configuration/settings.py), which need not be the one that develops.
LAMBDA_PYTHON := python3.13
test-lambda: ## the tests of what runs in Lambda on the Python that it runs, if this machine has it
	@if command -v $(LAMBDA_PYTHON) >/dev/null && $(LAMBDA_PYTHON) -c "" 2>/dev/null; then \
	  $(MAKE) --no-print-directory VENV=.venv-lambda PYTHON=$(LAMBDA_PYTHON) lambda-suites; \
	else echo "$(LAMBDA_PYTHON) is not installed: its tests are left out"; fi

.PHONY: lambda-suites
lambda-suites: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n 2 --dist worksteal tests/unit/functions tests/unit/content tests/unit/edge tests/property tests/api

check: $(VENV)/dev.stamp ## lint, formatting, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests/infra/test_import_rules.py

e2e: installed ## tests with the real clients of this machine (docker, containerd, skopeo, podman, buildah)
	$(BIN)/python -m pytest tests/e2e

e2e-latest: installed ## the same with the newest clients, in a chroot of Debian sid (needs root)
	$(BIN)/python -m pytest tests/e2e --clients latest

e2e-large: installed ## layers of 300 MiB and 2 GiB, by the clients of this machine: 20 GB of disk
	$(BIN)/python -m pytest tests/e2e -m large --large

bench: $(VENV)/dev.stamp ## what a request costs, as ratios taken in the same run
	$(BIN)/python -m bench

synth: $(VENV)/infra.stamp ## the CloudFormation templates, to infra/cdk.out/ (no credentials): SETTINGS=infra/roadstead.toml
	@rm -rf infra/cdk.out
	@CDK_OUTDIR=infra/cdk.out ROADSTEAD_SETTINGS=$(SETTINGS) $(BIN)/python -m infra.app
	$(BIN)/cfn-lint infra/cdk.out/*.template.json

lock: $(VENV)/dev.stamp ## compile the dependency groups of pyproject.toml into requirements/
	$(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group dev -o requirements/dev.txt
	for group in cli collector functions indexer infra ldap local management relay registry token webhook; do \
	  $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group $$group \
	    --constraint requirements/dev.txt -o requirements/$$group.txt || exit 1; \
	done
	for group in installer strict-s3 witnesses; do \
	  $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --group $$group -o requirements/$$group.txt || exit 1; \
	done

# One environment; what runs the registry is a subset of what develops it. Beside it one for the strict S3 of the tests,
# and one for Harbor's clients, whose dependencies contradict ours. Nothing is installed that is not pinned by hash, and nothing again until its lock
# file changes.
$(UV) $(S3_VENV)/bin/uv $(WITNESS_VENV)/bin/uv: | requirements/installer.txt
	@echo "Making $(@D:/bin=), and fetching uv, which installs the rest …"
	@$(PYTHON) local/bootstrap.py $(@D:/bin=) requirements/installer.txt

$(VENV)/%.stamp: requirements/%.txt | $(UV)
	@echo "Installing $< into $(VENV), each package held to its hash …"
	@$(UV) pip install -q --python $(BIN)/python --require-hashes -r $<
	@touch $@

$(S3_VENV)/%.stamp: requirements/%.txt | $(S3_VENV)/bin/uv
	@echo "Installing $< into $(S3_VENV), each package held to its hash …"
	@$(S3_VENV)/bin/uv pip install -q --python $(S3_VENV)/bin/python --require-hashes -r $<
	@touch $@

$(WITNESS_VENV)/%.stamp: requirements/%.txt | $(WITNESS_VENV)/bin/uv
	@echo "Installing $< into $(WITNESS_VENV), each package held to its hash …"
	@$(WITNESS_VENV)/bin/uv pip install -q --python $(WITNESS_VENV)/bin/python --require-hashes -r $<
	@touch $@
