"""What is looked at by whom in a scene, and what is true of each thing that a figure speaks of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from detak_collector.downtime.catalogue import Catalogue, Dated, Group, Member
from downtime_cases import group, node, service
from simulation.faults import Stretch
from simulation.plan import Plan, united
from simulation.target import CHECK, Target
from simulation.world import World

GATEWAY = "g"
WITNESS = "w"
TOGETHER = "s/g"
"""The group whose one member is what two nodes look at."""


@dataclass(frozen=True)
class Subject:
    """A check, such as `n/c`, or a group. `seen` are the stretches in which one of those who look sees it down.

    Outages and recoveries between these that are too short to be seen are not promised. `nodes` are those whose clocks
    matter to it.
    """

    name: str
    down: Sequence[Stretch]
    seen: Sequence[Sequence[Stretch]]
    nodes: tuple[int, ...]


def catalogue(plan: Plan) -> Catalogue:
    """What the collector is told of the scene."""
    if plan.scene != "observed":
        return Catalogue(Dated.always("org"), "UTC", (service(group([f"n/{CHECK}"])),))
    members = (Member((f"n/{CHECK}", f"m/{CHECK}")),)
    seen_by_two = Group(TOGETHER, "g", Dated.always("network"), members, Dated.always("all_down"))
    nodes = (
        node("n", references=(f"n/{GATEWAY}",), witnesses=(f"m/{WITNESS}",)),
        node("m", references=(f"m/{GATEWAY}",)),
    )
    return Catalogue(Dated.always("org"), "UTC", (service(seen_by_two),), nodes=nodes)


def subjects(plan: Plan) -> tuple[Subject, ...]:
    """All that is held against the truth; the widths are those of the first."""
    if plan.scene != "observed":
        return (Subject(f"n/{CHECK}", plan.down, [plan.down], (0,)),)
    ways = [plan.cut_off(where) for where in range(2)]
    seen = [united([*plan.down, *way]) for way in ways]
    host = plan.host_down(0)
    return (
        *(Subject(f"{'nm'[at]}/{CHECK}", plan.down, [seen[at]], (at,)) for at in range(2)),
        Subject(TOGETHER, plan.down, seen, (0, 1)),
        *(Subject(f"{'nm'[at]}/{GATEWAY}", ways[at], [ways[at]], (at,)) for at in range(2)),
        Subject(f"m/{WITNESS}", host, [united([*host, *ways[1]])], (1,)),
    )


def targets(plan: Plan, world: World, random: Random) -> list[Mapping[str, Target]]:
    """What each node's checks look at, as that node sees it."""

    def look(down: Sequence[Stretch], *, is_remote: bool = True) -> Target:
        marks = plan.restarts if plan.marked and not is_remote else None
        return Target(world, Random(random.random()), down, restarts=marks, is_remote=is_remote)

    if plan.scene != "observed":
        return [{CHECK: look(plan.down, is_remote=False)}]
    nodes: list[dict[str, Target]] = []
    for where in range(2):
        way = plan.cut_off(where)
        nodes.append({CHECK: look(united([*plan.down, *way])), GATEWAY: look(way)})
    nodes[1][WITNESS] = look(united([*plan.host_down(0), *plan.cut_off(1)]))
    return [*nodes]
