"""`tidegate rollback`: a ModelDeployment goes back to a version by one change of its spec."""

from __future__ import annotations

import click

from tidegate.commands.common import printable
from tidegate.commands.history import find_records, get_deployment
from tidegate.commands.kubectl import MODEL_DEPLOYMENTS, MODEL_VERSIONS, Body, Kubectl, takes_cluster
from tidegate.rollback import NoFormerVersion, choose_former, find_hindrances, foretell, refuse_version
from tidegate.timeline import Record, build_timeline


@click.command()
@click.argument("name", metavar="MODELDEPLOYMENT")
@click.option("--to", help="The ModelVersion; by default the one that was stable before.")
@click.option(
    "--dry-run", is_flag=True, help="Asks the API server whether it would take it, and changes nothing."
)
@takes_cluster
def rollback(name: str, *, to: str | None, dry_run: bool, namespace: str | None, context: str | None) -> None:
    """Sets spec.modelVersion of MODELDEPLOYMENT to an earlier version, as you would by hand.

    Without --to it goes to the version in service while another one is being tried or was taken back, and else to the
    one that was stable before. A version that has served before comes back without a trial.
    """
    kubectl = Kubectl(namespace, context)
    deployment = get_deployment(name, kubectl)
    records = find_records(deployment, kubectl)
    version = to or _choose(deployment, records)
    if refusal := refuse_version(deployment, version, kubectl.get(MODEL_VERSIONS, version)):
        raise click.ClickException(refusal)
    before = deployment["spec"]["modelVersion"]
    if before == version:
        _say(f"{name} asks for {version} already; nothing was changed")
    else:
        kubectl.patch(MODEL_DEPLOYMENTS, name, {"spec": {"modelVersion": version}}, dry_run=dry_run)
        _say(f"{name}: spec.modelVersion {'would go' if dry_run else 'went'} from {before} to {version}")
    _say(foretell(deployment, version, records))
    for sentence in find_hindrances(deployment, version):
        _say(f"Warning: {sentence}", err=True)


def _choose(deployment: Body, records: list[Record]) -> str:
    try:
        return choose_former(deployment, build_timeline(deployment, records, ()))
    except NoFormerVersion as error:
        raise click.ClickException(str(error)) from error


def _say(sentence: str, *, err: bool = False) -> None:
    click.echo(printable(sentence), err=err)
