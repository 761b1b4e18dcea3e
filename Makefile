# What a newcomer does, in that order. `make` alone prints it.
SHELL := bash
comma := ,
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
export TIDEGATE_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/tidegate

# Everything below runs against the cluster that this repository made, never against the user's current context.
WITH_CLUSTER = set -a; source $(TIDEGATE_CACHE)/cluster.env; source $(TIDEGATE_CACHE)/images.env; set +a; \
  export KUBECONFIG=$$TIDEGATE_KUBECONFIG;

SCRIPTS = .ci/run manifests/pipelines/release.sh images/record-packages cluster/node/preload cluster/host/runc-bounded $(addprefix cluster/node/root/kind/,entrypoint cgroup-root)

# Training: OpenMP's threads wait for each other in busy loops, which takes ten times as long on a machine that has more
# to do.
ONE_THREAD = OMP_NUM_THREADS=1

.PHONY: help
help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: .venv/installed loaded ## see it: a better model promoted and a worse one taken back, on a real Kubernetes
	@$(WITH_CLUSTER) $(ONE_THREAD) .venv/bin/python -m demo

.PHONY: test
test: .venv/installed loaded ## run all tests: unit, API server, cluster
	@$(WITH_CLUSTER) $(ONE_THREAD) .venv/bin/python -m pytest tests

# `make drills DRILLS=router_killed_at_rest,node_drained` plays some of them.
DRILLS ?=

.PHONY: drills
drills: .venv/installed loaded ## break everything around a model under load, and see who notices
	@$(WITH_CLUSTER) $(ONE_THREAD) .venv/bin/python -m drills $(subst $(comma), ,$(DRILLS))

# A benchmark that fails, or falls short of what is wanted, must not hide the others.
BENCHMARKS = serving router gates package_large scale startup rollback evidence_simulation evidence_cost
.PHONY: bench
bench: ## run all benchmarks, two hours: tables to the screen, figures to build/bench/
	@failed=; for name in $(BENCHMARKS); do echo; echo "== make bench-$$name"; \
	$(MAKE) --no-print-directory bench-$$name || failed="$$failed $$name"; done; \
	[ -z "$$failed" ] || { echo; echo "failed, or worse than wanted:$$failed"; exit 1; }

.PHONY: fuzz
fuzz: .venv/installed ## ask the predictor and the bundle's readers nonsense for FUZZ_MINUTES (30)
	@FUZZ_MINUTES=$(or $(FUZZ_MINUTES),30) .venv/bin/python -m pytest tests/unit/serving/fuzz -q -s -p no:cacheprovider

# One benchmark by its name: `make bench-router`. These need no cluster …
bench-%: .venv/installed
	@.venv/bin/python -m bench.$*

# … and these do.
.PHONY: bench-gates bench-rollback bench-startup bench-soak
bench-gates bench-rollback bench-startup bench-soak: .venv/installed loaded
	@$(WITH_CLUSTER) $(ONE_THREAD) .venv/bin/python -m bench.$(@:bench-%=%)

.PHONY: lint
lint: .venv/installed ## check style, types, layers, charts, scripts, and that generated files are fresh
	@failed=; check() { echo "  $$*"; "$$@" || failed=1; }; \
	check .venv/bin/ruff check --quiet .; \
	check .venv/bin/ruff format --check --quiet .; \
	check .venv/bin/mypy --no-error-summary; \
	check env PYTHONPATH=sdk:serving:operator NO_COLOR=1 .venv/bin/lint-imports --no-cache --no-logo; \
	check .venv/bin/helm lint --strict --quiet charts/*; \
	check .venv/bin/python -m tidegate_operator.api.crd --check; \
	check .venv/bin/python -m tidegate_operator.api.reference --check; \
	check .venv/bin/python manifests/generate.py --check; \
	check $(PYTHON) -m locks --check; \
	if command -v shellcheck >/dev/null; then check shellcheck $(SCRIPTS); \
	else echo "  shell scripts go unchecked: apt-get install shellcheck"; fi; \
	[ -z "$$failed" ]

.PHONY: cluster
cluster: ## a Kubernetes to run on (kind); built from source where no image can be pulled
	@$(PYTHON) -m cluster up

.PHONY: images
images: ## the container images whose inputs have changed
	@$(PYTHON) -m images

.PHONY: crds
crds: .venv/installed ## generate crds/, the charts' copies, the reference and manifests/ from the operator's models
	@.venv/bin/python -m tidegate_operator.api.crd
	@.venv/bin/python -m tidegate_operator.api.reference
	@.venv/bin/python manifests/generate.py

.PHONY: locks
locks: ## resolve pyproject.toml into locks/
	@$(PYTHON) -m locks

.PHONY: cluster-delete
cluster-delete: ## remove the cluster and all that runs in it
	@$(PYTHON) -m cluster delete

.PHONY: clean
clean: cluster-delete ## remove the cluster, .venv and all that was built, Kubernetes included
	@$(PYTHON) -m cluster forget
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The cluster with the images in it.
.PHONY: loaded
loaded: cluster images
	@$(PYTHON) -m cluster load-images

.venv/installed: locks/dev.txt locks/uv.txt pyproject.toml
	@$(PYTHON) -m locks.environment
