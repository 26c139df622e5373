"""In which order several servers of one database are tried."""

from psycopg.conninfo import conninfo_to_dict

from detak_collector.store.postgresql_servers import Server, Servers

TWO = {"host": "a,b", "port": "5433,5434", "dbname": "detak"}


def tried(servers: Servers) -> tuple[object, object]:
    told = conninfo_to_dict(servers.conninfo())
    assert told["dbname"] == "detak"
    return told["host"], told.get("port")


def test_servers_are_tried_in_the_order_of_the_url() -> None:
    assert tried(Servers(TWO)) == ("a,b", "5433,5434")


def test_the_one_to_be_avoided_is_tried_last_however_often_it_is_told() -> None:
    servers = Servers(TWO)
    for _ in range(3):
        servers.avoid(Server("a", 5433, 1))
        assert tried(servers) == ("b,a", "5434,5433")


def test_servers_of_one_name_are_told_apart_by_their_ports() -> None:
    servers = Servers({**TWO, "host": "h,h"})
    servers.avoid(Server("h", 5433, 1))
    assert tried(servers) == ("h,h", "5434,5433")


def test_one_port_may_be_that_of_all() -> None:
    servers = Servers({**TWO, "port": "5433"})
    servers.avoid(Server("a", 5433, 1))
    assert tried(servers) == ("b,a", "5433,5433")


def test_without_a_port_it_is_the_usual_one() -> None:
    servers = Servers({"host": "a,b,c", "dbname": "detak"})
    servers.avoid(Server("b", 5432, 1))
    assert tried(servers) == ("a,c,b", None)


def test_only_of_several_servers_one_can_be_without_its_standby() -> None:
    for asked, lacks in ((TWO, True), ({"host": "a", "dbname": "detak"}, False), ({"dbname": "detak"}, False)):
        servers = Servers(asked)
        assert not servers.lack_standby
        servers.has_standby = False
        assert servers.lack_standby is lacks
