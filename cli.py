"""The command line: parse, call the library function of the same name, show, exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from allocator.terminal import interruptible, progress_line, quiet_solvers, step_line, terminal

FOLDER = click.Path(path_type=Path)


class Commands(click.Group):
    """Turns the errors that a user can mend into one line each and the right exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; without --debug no traceback reaches the user."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.ClickException, click.Abort):
            raise
        except Exception as error:
            if ctx.params.get("debug"):
                raise
            code, lines = explain_error(error)
            for line in lines:
                click.echo(line, err=True)
            ctx.exit(code)


def explain_error(error: Exception) -> tuple[int, list[str]]:
    """Exit code and lines of an error: ours say their own, the rest names itself."""
    from allocator.errors import AllocatorError, BadData

    if isinstance(error, BadData):
        return error.exit_code, [str(finding) for finding in error.findings]
    if isinstance(error, AllocatorError):
        return error.exit_code, str(error).splitlines()
    if isinstance(error, OSError):
        return 2, [f"{error.filename or 'file'}: {error.strerror or error}"]
    name = type(error).__name__
    return 1, [f"internal error, {name}: {error}; run again with `allocator --debug ...`"]


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="allocator")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """Decide who makes a medicine: assign programs to contract manufacturers.

    PORTFOLIO is a folder of tables, or its portfolio.csv. Exit codes: 0 done, 2 usage, 3 bad data,
    4 the rules cannot all hold, 5 stopped without a plan, 6 the audit failed.
    """


def print_json(content: Any) -> None:
    """Print strict JSON as the files hold it: a number that is not finite raises ValueError."""
    click.echo(json.dumps(content, indent=1, allow_nan=False))


def portfolio_of(command: Any) -> Any:
    """The portfolio of a command, and the scenario laid over it."""
    command = click.option(
        "--scenario", type=FOLDER, help="A scenario.toml to lay over the tables."
    )(command)
    return click.argument("portfolio", type=FOLDER)(command)


def run_of(command: Any) -> Any:
    """The run that a command looks at."""
    return click.argument("run_folder", metavar="RUN", type=FOLDER)(command)


def solving(
    time_limit: float,
    what: str = "Seconds to solve; the plan says how far it may be from the best possible.",
    gap: float = 0.005,
    threads: str = "Default: the cores there are.",
) -> Callable[[Any], Any]:
    """The options of every command that solves; `what` says what the time limit is of."""
    options = (
        click.option(
            "--solver",
            type=click.Choice(["auto", "patterns", "highs", "cbc", "cpsat"]),
            default="auto",
            show_default=True,
        ),
        click.option(
            "--time-limit",
            type=click.FloatRange(0, min_open=True),
            default=time_limit,
            show_default=True,
            help=what,
        ),
        click.option(
            "--gap",
            type=click.FloatRange(0),
            default=gap,
            show_default=True,
            help="Stop when proven within this share of the best possible.",
        ),
        click.option(
            "--threads", type=click.IntRange(1), callback=all_cores_by_default, help=threads
        ),
        click.option("--seed", type=click.IntRange(0), default=0, show_default=True),
    )

    def decorate(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def all_cores_by_default(ctx: Any, param: Any, threads: int | None) -> int:
    """The threads asked for, or as many as there are cores for this process."""
    from allocator.machine import available_cores

    return threads or available_cores()


def output(folder: str, file: str) -> Callable[[Any], Any]:
    """Where the files go, and the choice of `file` on standard output instead of tables."""

    def decorate(command: Any) -> Any:
        command = click.option(
            "--json", "as_json", is_flag=True, help=f"Print {file} instead of tables."
        )(command)
        return click.option("--out", type=FOLDER, help=folder)(command)

    return decorate


@main.command()
@click.argument("folder", type=FOLDER)
@click.option("--programs", type=click.IntRange(1), help="Programs of a random portfolio.")
@click.option("--cmos", type=click.IntRange(1), help="CMOs of a random portfolio.")
@click.option("--periods", type=click.IntRange(1), help="Quarters of a random portfolio.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option(
    "--utilisation",
    type=click.FloatRange(0.05, 5.0),
    default=0.85,
    show_default=True,
    help="Line-days demanded over line-days offered: 0.6 loose, 0.85 tight, 1.1 short.",
)
def new(
    folder: Path,
    programs: int | None,
    cmos: int | None,
    periods: int | None,
    seed: int,
    utilisation: float,
) -> None:
    """Write the demo portfolio, or a random one of a given size."""
    import allocator

    written = allocator.new(folder, programs, cmos, periods, seed, utilisation=utilisation)
    click.echo(f"{written}: a portfolio; next: allocator run {written}")


@main.command()
@portfolio_of
@click.option(
    "--cards/--no-cards",
    default=None,
    help="Each CMO's strengths, gaps and what to ask; by default where there is a diligence.csv.",
)
def check(portfolio: Path, scenario: Path | None, cards: bool | None) -> None:
    """List all problems of the tables at once; exit code 3 if there are errors."""
    import allocator

    findings = allocator.check(portfolio, scenario)
    errors = [finding for finding in findings if finding.severity == "error"]
    for finding in findings:
        click.echo(f"{finding.severity}: {finding}", err=finding.severity == "error")
    warnings = len(findings) - len(errors)
    if not errors and cards is not False:
        show_cards(allocator.read_portfolio(portfolio, scenario), bool(cards))
    click.echo(f"{len(errors)} errors, {warnings} warnings")
    raise SystemExit(3 if errors else 0)


def show_cards(portfolio: Any, always: bool) -> None:
    """Print each CMO's card where answers were given, or always."""
    from allocator.diligence import cards

    if always or portfolio.diligence:
        for card in cards(portfolio):
            click.echo("\n".join(card.lines()))


@main.command()
@portfolio_of
@click.argument("program_id", metavar="PROGRAM")
def match(portfolio: Path, program_id: str, scenario: Path | None) -> None:
    """Rank the CMOs that could make a program, with reasons, whatever the plan says."""
    import allocator

    for line in allocator.match(portfolio, program_id, scenario).lines():
        click.echo(line)


@main.command()
@portfolio_of
@click.option(
    "--sourcing",
    type=click.Choice(["single", "dual", "free", "secure"]),
    help="Over the policy's; secure: whole under every single outage.",
)
@solving(60.0)
@output("Folder for the files; default: runs/NAME-TIME.", "plan.json")
def run(portfolio: Path, out: Path | None, as_json: bool, **options: Any) -> None:
    """Find, prove and audit the best plan for a portfolio."""
    import allocator
    from allocator.engine import default_run_folder

    folder = out or default_run_folder(portfolio)
    with interruptible() as stop, progress_line() as progress, quiet_solvers():
        outcome = allocator.run(portfolio, out=folder, stop=stop, progress=progress, **options)
    show_outcome(outcome, as_json)
    if outcome.plan["status"] == "infeasible":
        raise SystemExit(4)
    raise SystemExit(5 if outcome.plan["status"] == "no_plan" else 0)


def show_outcome(outcome: Any, as_json: bool) -> None:
    """Print a run: plan.json for programs, words and tables for people."""
    from allocator.show import show_plan

    if as_json:
        print_json(outcome.plan)
        return
    currency = outcome.compiled.portfolio.policy.currency
    show_plan(terminal(), outcome.plan, currency)
    show_history(outcome.folder)
    click.echo(f"Files: {outcome.folder}")


def show_history(folder: Path | None) -> None:
    """What was paid beside the plan, where its tables came from a history; each line in a file."""
    from allocator.files import INPUTS_FOLDER

    if folder is None or not (folder / INPUTS_FOLDER / "history_lines.csv").is_file():
        return
    from allocator.history import compare_with_history

    comparison = compare_with_history(folder)
    if comparison is not None:
        comparison.write(folder / "history_comparison.csv")
        for line in comparison.lines():
            click.echo(line)


@main.command()
@run_of
@click.option("--stress", type=FOLDER, help="A stress test of the run that lies elsewhere.")
def verify(run_folder: Path, stress: Path | None) -> None:
    """Audit the files of an earlier run; exit code 6 if anything is wrong."""
    import allocator

    report = allocator.verify(run_folder, stress)
    for finding in report.findings:
        click.echo(f"{finding.rule} {finding.where}: {finding.what}", err=True)
    for words in report.trusted:
        click.echo(words)
    click.echo("audit passed" if report.passed else f"{len(report.findings)} faults")
    raise SystemExit(0 if report.passed else 6)


@main.command()
@run_of
@click.option("--futures", type=click.IntRange(2), default=10_000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option(
    "--demand-error",
    type=click.FloatRange(0, 2),
    help="Standard deviation of demand over its forecast; default: the policy's.",
)
@output("Folder for the files; default: the run's.", "simulation.json")
def simulate(run_folder: Path, out: Path | None, as_json: bool, **options: Any) -> None:
    """Play the plan of a run in many futures: supply, cost and delay, and their tails."""
    import allocator
    from allocator.simulation.tables import show_simulation

    report = allocator.simulate(run_folder, out=out, **options)
    if as_json:
        print_json(report.content())
        return
    show_simulation(terminal(), report)
    click.echo(f"Files: simulation.json and simulation.csv in {out or run_folder}")


@main.command()
@run_of
@click.option(
    "--groups",
    default="cmo,owner,region,country,shared_input",
    show_default=True,
    help="What stops as one, by commas.",
)
@click.option("--time-limit", type=click.FloatRange(0, min_open=True), default=60.0)
@click.option("--gap", type=click.FloatRange(0), default=0.005, show_default=True)
@click.option(
    "--threads",
    type=click.IntRange(1),
    callback=all_cores_by_default,
    help="Outages worked on at once; default: the cores there are.",
)
@output(
    "Folder for stress.json and stress.csv; default: RUN, RUN/stress for a secure plan.",
    "stress.json",
)
def stress(run_folder: Path, groups: str, as_json: bool, **options: Any) -> None:
    """Stop every CMO, owner, region, country and input in turn, and re-plan around it.

    Stopped with Ctrl-C or by the time limit: run again with the same --out, and it goes on.
    """
    import allocator
    from allocator.outages.show import show_stress

    kinds = [kind.strip() for kind in groups.split(",") if kind.strip()]
    with interruptible() as halt, progress_line() as progress, quiet_solvers():
        report = allocator.stress(run_folder, groups=kinds, stop=halt, progress=progress, **options)
    if as_json:
        click.echo((report.folder / "stress.json").read_text(encoding="utf-8"), nl=False)
        return
    show_stress(terminal(), report)
    click.echo(f"Files: {report.folder}")


@main.command()
@run_of
@click.option("--top", type=click.IntRange(0), default=10, show_default=True, help="Solved again.")
@solving(30.0, "Seconds of each solve.")
@output("Folder for the files; default: the run's.", "sensitivity.json")
def sensitivity(run_folder: Path, out: Path | None, as_json: bool, **options: Any) -> None:
    """Which awards flip if an assumed figure is off by its range: which number to go and get."""
    import allocator
    from allocator.assumed.tables import show_sensitivity

    with quiet_solvers(), step_line() as progress:
        report = allocator.sensitivity(run_folder, out=out, progress=progress, **options)
    if as_json:
        print_json(report.content())
        return
    show_sensitivity(terminal(), report)
    click.echo(f"Files: sensitivity.json and sensitivity.csv in {out or run_folder}")


@main.command()
@portfolio_of
@solving(
    600.0,
    "Seconds for everything, a third of it for the plans to compare with.",
    threads="Searches at once; default: the cores there are.",
)
@output("Folder for the plans; default: runs/NAME-enablers-TIME.", "enablers.json")
def enablers(portfolio: Path, as_json: bool, **options: Any) -> None:
    """What would make a secure plan cheaper, each priced by solving again with it.

    Stopped with Ctrl-C: run again with the same --out, and what is finished is taken over.
    """
    import allocator
    from allocator.outages.enabler_show import show_enablers

    found = study(allocator.enablers, portfolio, "enablers", **options)
    show_study(found, show_enablers, as_json)


@main.command()
@click.argument("history", type=FOLDER)
@click.option("--map", "map_file", type=FOLDER, required=True, help="What the columns mean.")
@click.option("--out", type=FOLDER, required=True, help="Folder for the tables.")
@click.option("--last-periods", type=click.IntRange(1), help="Only the last so many periods.")
@click.option("--fit", is_flag=True, help="Also fit each site's punctuality: shifts.csv.")
def ingest(history: Path, map_file: Path, out: Path, **options: Any) -> None:
    """Make tables from an order or delivery history."""
    import allocator

    report = allocator.ingest(history, map_file, out, **options)
    for line in report.lines():
        click.echo(line)


def read_factors(ctx: Any, param: Any, values: tuple[str, ...]) -> dict[str, float]:
    """`ID=1.5` options as multipliers by id."""
    factors: dict[str, float] = {}
    for value in values:
        key, _, text = value.rpartition("=")
        key = key.strip()
        try:
            factor = float(text)
        except ValueError:
            what = f"{value!r} is not an id and a multiplier such as P1=1.5"
            raise click.BadParameter(what, ctx, param) from None
        if key in factors:
            raise click.BadParameter(f"{key} is given twice; give it once", ctx, param)
        factors[key] = factor
    return factors


@main.command()
@portfolio_of
@click.option("--demand", type=float, default=2.0, show_default=True, help="Of all demand.")
@click.option(
    "--program",
    "programs",
    metavar="ID=FACTOR",
    multiple=True,
    callback=read_factors,
    help="Of one program, over --form and --demand.",
)
@click.option(
    "--form",
    "forms",
    metavar="FORM=FACTOR",
    multiple=True,
    callback=read_factors,
    help="Of one dosage form, over --demand.",
)
@click.option("--from", "since", metavar="PERIOD", help="First period that grows.")
@click.option("--ramp", type=click.IntRange(1), help="Periods over which the growth arrives.")
@click.option("--run", "run", type=FOLDER, help="A run that is today's plan; default: solve it.")
@click.option("--sourcing", type=click.Choice(["single", "dual", "free"]))
@solving(180.0, "Seconds for the four answers together.")
@click.option("--breakpoints", is_flag=True, help="How far demand can grow, proven both ways.")
@click.option("--slots", type=click.IntRange(0), default=0, help="Value so many slots exactly.")
@click.option("--reserve", is_flag=True, help="Line-days to reserve against demand scenarios.")
@output("Folder for capacity.json and the tables behind it.", "capacity.json")
def capacity(portfolio: Path, as_json: bool, **options: Any) -> None:
    """What grown demand costs, what breaks first, what a slot is worth, what to sign by when."""
    import allocator
    from allocator.growth.show import show_report

    with interruptible() as stop, progress_line() as progress, quiet_solvers():
        report = allocator.capacity(portfolio, stop=stop, progress=progress, **options)
    if as_json:
        print_json(report.data)
        return
    show_report(terminal(), report.data)
    if report.folder is not None:
        click.echo(f"Files: {report.folder}")


@main.command()
@click.argument("portfolio", type=FOLDER)
@click.option(
    "--policies",
    default="single,dual,free,secure",
    show_default=True,
    help="Sourcing policies to compare, comma separated.",
)
@click.option(
    "--scenario",
    "scenarios",
    type=FOLDER,
    multiple=True,
    help="A scenario.toml, compared beside the tables as they are; may be given again.",
)
@click.option(
    "--must-source",
    "must_source",
    metavar="PROGRAM",
    multiple=True,
    help="A program that may not stay without a source: `single` is exactly one for it.",
)
@solving(70.0, "Seconds for each plan.", threads="Plans at once; default: the cores there are.")
@click.option(
    "--stress-limit",
    type=click.FloatRange(0, min_open=True),
    default=20.0,
    show_default=True,
    help="Seconds for the outages of each plan.",
)
@output("Folder for the plans; default: runs/NAME-compare-TIME.", "comparison.json")
def compare(portfolio: Path, policies: str, as_json: bool, **options: Any) -> None:
    """Single, dual, free and secure sourcing side by side: what resilience costs.

    Stopped with Ctrl-C, or given more policies: run again with the same --out, and what is finished
    is taken over.
    """
    import allocator
    from allocator.tradeoff.show import show_comparison

    names = [name.strip() for name in policies.split(",") if name.strip()]
    comparison = study(allocator.compare, portfolio, "compare", policies=names, **options)
    show_study(comparison, show_comparison, as_json)
    status = {plan["status"] for plan in comparison.data["plans"]}
    if status == {"infeasible"}:
        raise SystemExit(4)
    raise SystemExit(0 if status & {"optimal", "feasible"} else 5)


@main.command()
@portfolio_of
@click.option("--points", type=click.IntRange(2), default=11, show_default=True)
@click.option(
    "--greatest-weight",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    help="Money paid to be rid of one money of risk, at the safe end.",
)
@click.option(
    "--sourcing", type=click.Choice(["single", "dual", "free"]), help="Over the policy's."
)
@solving(
    30.0,
    "Seconds for each plan.",
    gap=0.001,
    threads="Plans at once; default: the cores there are.",
)
@output("Folder for the plans; default: runs/NAME-frontier-TIME.", "frontier.json")
def frontier(portfolio: Path, as_json: bool, **options: Any) -> None:
    """Plans from the cheapest to the safest, none of them beaten in cost and risk together."""
    import allocator
    from allocator.tradeoff.show import show_frontier

    found = study(allocator.frontier, portfolio, "frontier", **options)
    show_study(found, show_frontier, as_json)


@main.command()
@portfolio_of
@click.option(
    "--most",
    type=click.IntRange(0),
    default=8,
    show_default=True,
    help="Second sources on the curve.",
)
@solving(
    40.0,
    "Seconds for each plan of the curve.",
    gap=0.002,
    threads="Plans at once; default: the cores there are.",
)
@click.option(
    "--trial-limit",
    type=click.FloatRange(0, min_open=True),
    default=8.0,
    show_default=True,
    help="Seconds to rank each program.",
)
@output("Folder for the plans; default: runs/NAME-second-TIME.", "second.json")
def second(portfolio: Path, as_json: bool, **options: Any) -> None:
    """Which programs need a second source most, what it costs, and whether stock would do."""
    import allocator
    from allocator.tradeoff.show_second import show_second

    found = study(allocator.second, portfolio, "second", **options)
    show_study(found, show_second, as_json)


def study(command: Any, portfolio: Path, name: str, **options: Any) -> Any:
    """Run a command that makes many plans, with its progress, its stop and its folder."""
    from allocator.engine import default_run_folder

    out = options.pop("out") or default_run_folder(portfolio, name)
    with interruptible() as stop, progress_line() as progress, quiet_solvers():
        return command(portfolio, out=out, stop=stop, progress=progress, **options)


def show_study(found: Any, show: Callable[[Any, Any], None], as_json: bool) -> None:
    """Print what `study` found: its data for programs, `show`'s tables for people."""
    if as_json:
        print_json(found.data)
        return
    show(terminal(), found.data)
    click.echo(f"Files: {found.folder}")


@main.command()
def doctor() -> None:
    """Check that this machine has what the program needs, each solver by solving."""
    import allocator
    from allocator.show import show_rows

    with quiet_solvers():
        checks = allocator.doctor()
    rows = [
        ("ok" if check.ok else "FAULT", check.name, check.found, "" if check.ok else check.remedy)
        for check in checks
    ]
    show_rows(terminal(), "This machine", ("", "what", "found", "remedy"), rows)
    raise SystemExit(0 if all(check.ok for check in checks) else 1)


if __name__ == "__main__":
    main()
