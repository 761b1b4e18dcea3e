#!/bin/bash
# From a trained model to its release: a signed bundle in the store, and one commit in the GitOps repository that adds
# the ModelVersion and has the ModelDeployment ask for it. Every pipeline here calls it in a checkout of the training
# repository, beside gates.yaml. Its arguments are those of `tidegate package`:
#   release.sh model.joblib sample.csv --metrics metrics.json --data s3://lake/transactions/2026-01
set -euo pipefail

: "${MODEL:?the name of the model, such as fraud}"
: "${STORE:?where the bundles of all models lie, such as s3://models; its keys are in the environment}"
: "${SIGNING_KEY:?the file with the private key that vouches for bundles}"
: "${GITOPS_REPOSITORY:?the URL of the repository that Flux or Argo CD applies}"
: "${GITOPS_DEPLOYMENT:?the file of the ModelDeployment there, such as fraud/fraud.yaml}"
# Where they are needed: STORE_SECRET, the Secret with which the cluster reads the store; GITOPS_TOKEN, what git is to
# answer when it is asked for a password.

commit=$(git rev-parse HEAD)
if ! git diff --quiet HEAD --; then
  echo "A release is made of a commit, and these files differ from $commit:" >&2
  git status --short --untracked-files=no >&2
  exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bundle=$work/bundle gitops=$work/gitops

options=(--config "user.name=release of $MODEL" --config user.email=release@localhost)
if [ -n "${GITOPS_TOKEN:-}" ]; then
  # By its name: git asks the environment for it, so that it is in no URL, no file and no log.
  # shellcheck disable=SC2016
  helper='!f() { echo username=git; echo "password=$GITOPS_TOKEN"; }; f'
  options+=(--config credential.helper= --config "credential.helper=$helper")
fi
export GIT_TERMINAL_PROMPT=0
git clone --quiet "${options[@]}" "$GITOPS_REPOSITORY" "$gitops"

tidegate package "$@" --name "$MODEL" --out "$bundle" >/dev/null

# Called after its digest, a bundle has one name however often it is made, and no two have the same.
digest=$(tidegate verify "$bundle")
short=${digest:7:12}
version=$MODEL-$short
uri=$STORE/$MODEL/$short
deployment=$gitops/$GITOPS_DEPLOYMENT
manifest=$(dirname "$deployment")/$version.yaml
# Without this, an old run that is started again would take its version back into service.
if [ -e "$manifest" ]; then
  echo "$version is released already; nothing is changed"
  exit
fi

tidegate check "$bundle" --gates gates.yaml --junit gates.xml
tidegate sign "$bundle" --key "$SIGNING_KEY"
tidegate push "$bundle" "$uri"
tidegate manifest "$bundle" --uri "$uri" --version "$version" ${STORE_SECRET:+--secret "$STORE_SECRET"} >"$manifest"
tidegate bump "$deployment" "$manifest"

git -C "$gitops" add --all
git -C "$gitops" commit --quiet --author="$(git log -1 --format='%an <%ae>')" --message="Release $version" \
  --message="$MODEL as trained at commit $commit"
# Others release to the same repository; a file of ours they do not change, and a conflict ends here.
attempts=1
until git -C "$gitops" push --quiet origin HEAD; do
  if [ $((attempts++)) = 5 ]; then exit 1; fi
  git -C "$gitops" pull --quiet --rebase
done
echo "$version is released by commit $(git -C "$gitops" rev-parse HEAD)"
