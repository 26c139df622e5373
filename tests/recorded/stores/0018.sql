BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'detak','0001_evidence','2026-11-24 00:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'detak','0002_derived','2026-11-24 00:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'detak','0003_outages','2026-11-24 00:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(4,'detak','0004_history','2026-11-24 00:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(5,'detak','0005_as_of','2026-11-24 00:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(6,'detak','0006_changed','2026-11-24 00:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(7,'detak','0007_keys','2026-11-24 00:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(8,'detak','0008_metrics','2026-11-24 00:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(9,'detak','0009_instance','2026-11-24 00:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(10,'detak','0010_shared_tokens','2026-11-24 00:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(11,'detak','0011_entries','2026-11-24 00:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(12,'detak','0012_ledger','2026-11-24 00:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(13,'detak','0013_accounts','2026-11-24 00:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(14,'detak','0014_attachments','2026-11-24 00:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(15,'detak','0015_api_tokens','2026-11-24 00:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(16,'detak','0016_outbox','2026-11-24 00:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(17,'detak','0017_notices','2026-11-24 00:00:00+00:00');
INSERT INTO "_sqlite_migrations" VALUES(18,'detak','0018_disposal','2026-11-24 00:00:00+00:00');
CREATE TABLE account (
        name TEXT PRIMARY KEY,
        display TEXT NOT NULL,
        mail TEXT NOT NULL,
        origin TEXT NOT NULL,
        made_utc INTEGER NOT NULL,
        password TEXT,
        secret TEXT,
        fresh_secret TEXT,
        step INTEGER NOT NULL DEFAULT 0,
        disabled_utc INTEGER,
        signed_in_utc INTEGER
    ) STRICT, WITHOUT ROWID
    ;
CREATE TABLE account_reset (
        hash BLOB PRIMARY KEY,
        name TEXT NOT NULL REFERENCES account (name),
        expires_utc INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    ;
CREATE TABLE account_session (
        hash BLOB PRIMARY KEY,
        name TEXT NOT NULL REFERENCES account (name),
        stage TEXT NOT NULL,
        begun_utc INTEGER NOT NULL,
        seen_utc INTEGER NOT NULL,
        address TEXT NOT NULL,
        browser TEXT NOT NULL,
        wrong_codes INTEGER NOT NULL DEFAULT 0
    ) STRICT, WITHOUT ROWID
    ;
CREATE TABLE api_token (
        id TEXT PRIMARY KEY,
        hash BLOB NOT NULL UNIQUE,
        owner TEXT NOT NULL REFERENCES account (name),
        label TEXT NOT NULL,
        scopes TEXT NOT NULL,
        made_utc INTEGER NOT NULL,
        made_by TEXT NOT NULL,
        expires_utc INTEGER NOT NULL,
        used_utc INTEGER,
        used_from TEXT NOT NULL DEFAULT '',
        revoked_utc INTEGER,
        revoked_by TEXT NOT NULL DEFAULT ''
    ) STRICT, WITHOUT ROWID
    ;
CREATE TABLE attachment (
        digest TEXT PRIMARY KEY,
        size INTEGER NOT NULL,
        kept_utc INTEGER NOT NULL,
        content BLOB NOT NULL
    ) STRICT
;
CREATE TABLE collector (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        identity TEXT NOT NULL,
        created_utc INTEGER NOT NULL
    ) STRICT
    ;
INSERT INTO "collector" VALUES(1,'c0113c7000000001',1700000000000);
CREATE TABLE conflict (
        sequence INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run,
        number INTEGER NOT NULL,
        version TEXT NOT NULL,
        recorded_utc INTEGER NOT NULL,
        UNIQUE (run, number, version)
    ) STRICT
    ;
CREATE TABLE derived (
        service TEXT NOT NULL,
        begin_utc INTEGER NOT NULL,
        end_utc INTEGER NOT NULL,
        digest BLOB NOT NULL,
        sequence INTEGER NOT NULL,
        month BLOB NOT NULL,
        days BLOB NOT NULL,
        PRIMARY KEY (begin_utc, service)
    ) STRICT
    ;
CREATE TABLE derived_mark (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        sequence INTEGER NOT NULL
    ) STRICT
    ;
INSERT INTO "derived_mark" VALUES(1,0);
CREATE TABLE disposal (
        entry TEXT PRIMARY KEY,
        until_utc INTEGER NOT NULL,
        done_utc INTEGER
    ) STRICT, WITHOUT ROWID
    ;
CREATE TABLE disposed_block (
        number INTEGER PRIMARY KEY,
        entry TEXT NOT NULL REFERENCES disposal,
        records INTEGER NOT NULL,
        digest BLOB NOT NULL,
        lines BLOB NOT NULL,
        gone INTEGER NOT NULL
    ) STRICT
    ;
CREATE TABLE disposed_month (
        service TEXT NOT NULL,
        begin_utc INTEGER NOT NULL,
        known_utc INTEGER NOT NULL,
        month BLOB NOT NULL,
        days BLOB NOT NULL,
        lanes BLOB NOT NULL,
        PRIMARY KEY (begin_utc, service)
    ) STRICT
    ;
CREATE TABLE entry (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        recorded_utc INTEGER NOT NULL,
        author TEXT NOT NULL,
        collector TEXT NOT NULL,
        seen TEXT NOT NULL,
        body TEXT NOT NULL
    ) STRICT
    ;
INSERT INTO "entry" VALUES(1,'1a2bf4cc23fa721f2712df3c654ad0c7','figure',1700000500000,'siti','c0113c7000000001','{"c0113c7000000001": 0}','{"document":"LAP-1/2023","note":"","percent":"0.0721","target_percent":"0.1","year":2022}');
CREATE TABLE exchange (
        sequence INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run,
        number INTEGER NOT NULL,
        collector INTEGER NOT NULL REFERENCES text,
        sent_agent INTEGER NOT NULL,
        arrived_utc INTEGER NOT NULL,
        answered_utc INTEGER NOT NULL,
        received_agent INTEGER NOT NULL,
        recorded_utc INTEGER NOT NULL,
        UNIQUE (run, number)
    ) STRICT
    ;
INSERT INTO "exchange" VALUES(4,1,3,3,1740000,1700001740010,1700001740012,1740020,1700001800010);
INSERT INTO "exchange" VALUES(8,1,6,3,3540000,1700003540010,1700003540012,3540020,1700003600010);
INSERT INTO "exchange" VALUES(12,10,3,3,1740000,1700005640010,1700005640012,1740020,1700005700010);
CREATE TABLE gap (
        sequence INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run,
        number INTEGER NOT NULL,
        first_number INTEGER NOT NULL,
        last_number INTEGER NOT NULL,
        reason TEXT NOT NULL,
        recorded_utc INTEGER NOT NULL,
        UNIQUE (run, number)
    ) STRICT
    ;
CREATE TABLE instance (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        epoch INTEGER NOT NULL,
        secret BLOB NOT NULL,
        home TEXT NOT NULL,
        fenced_utc INTEGER,
        fenced_why TEXT
    ) STRICT
;
CREATE TABLE ledger (
        number INTEGER PRIMARY KEY,
        facts INTEGER NOT NULL,
        entries INTEGER NOT NULL,
        records INTEGER NOT NULL,
        recorded_utc INTEGER NOT NULL,
        digest BLOB NOT NULL,
        head BLOB NOT NULL,
        lines BLOB NOT NULL
    ) STRICT
;
CREATE TABLE metric (
        node INTEGER NOT NULL REFERENCES node,
        utc INTEGER NOT NULL,
        point BLOB NOT NULL,
        PRIMARY KEY (node, utc)
    ) STRICT, WITHOUT ROWID
;
CREATE TABLE metric_hour (
        node INTEGER NOT NULL REFERENCES node,
        utc INTEGER NOT NULL,
        point BLOB NOT NULL,
        PRIMARY KEY (node, utc)
    ) STRICT, WITHOUT ROWID
;
CREATE TABLE node (
        id INTEGER PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        key_hash BLOB UNIQUE,
        enrolled_utc INTEGER NOT NULL,
        revoked_utc INTEGER
    , fresh_key_hash BLOB, issued_utc INTEGER, fresh_issued_utc INTEGER) STRICT
    ;
INSERT INTO "node" VALUES(1,'db-01',X'2C70E12B7A0646F92279F427C7B38E7334D8E5389CFF167A1DC30E73F826B683',1700000000001,NULL,X'D098AB5E44B9AABB755F76D806598F43573C662B35E4A2EAB1E312EC9AD195E2',1700000000001,1700000600000);
CREATE TABLE notice (
        key TEXT PRIMARY KEY,
        target TEXT NOT NULL,
        place INTEGER NOT NULL,
        message TEXT NOT NULL,
        made_utc INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        state TEXT NOT NULL,
        state_utc INTEGER NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0,
        due_utc INTEGER NOT NULL,
        said TEXT NOT NULL DEFAULT ''
    ) STRICT, WITHOUT ROWID
    ;
CREATE TABLE numbering (id INTEGER PRIMARY KEY CHECK (id = 1), least INTEGER NOT NULL) STRICT;
CREATE TABLE open_spans (
        run INTEGER PRIMARY KEY REFERENCES run,
        current INTEGER NOT NULL,
        stopped TEXT,
        stopped_agent INTEGER,
        numbers TEXT NOT NULL,
        open BLOB NOT NULL
    , stopped_utc INTEGER, changed INTEGER NOT NULL DEFAULT 0) STRICT
    ;
INSERT INTO "open_spans" VALUES(1,0,NULL,NULL,'[[[2,4],[6,6]],[]]',X'929D01A5616C697665A27570CD07D0CD07D3CE0036EA98CE0036EA9BCD0E0ECD03E8C2A080CF0000018BCFE573C29D05A3776562A27570CE0024A6D0CE0024A6D3CE0036E2C8CE0036E2CBCCF0CD1388C2A080CF0000018BD01C568A',NULL,11);
INSERT INTO "open_spans" VALUES(10,1,NULL,NULL,'[[[3,3]],[]]',X'929D01A5616C697665A27570CD2AF8CD2AFBCE001B7358CE001B735BCD06FDCD03E8C2A080CF0000018BD021194A9D02A3776562A27570CD2AF8CD2AFBCE001B67A0CE001B67A3CD0166CD1388C2A080CF0000018BD021194A',NULL,13);
CREATE TABLE outage (
        number INTEGER PRIMARY KEY,
        service TEXT NOT NULL,
        begin_utc INTEGER NOT NULL,
        end_utc INTEGER NOT NULL,
        running INTEGER NOT NULL CHECK (running IN (0, 1)),
        merged_into INTEGER REFERENCES outage,
        first_derived_utc INTEGER NOT NULL
    , changed INTEGER NOT NULL DEFAULT 0) STRICT
    ;
INSERT INTO "outage" VALUES(7,'web',1700001799503,1700002399503,0,NULL,1700002500000,7);
CREATE TABLE outbox (
        key TEXT PRIMARY KEY,
        purpose TEXT NOT NULL,
        title TEXT NOT NULL,
        recipient TEXT NOT NULL,
        covers TEXT NOT NULL,
        head TEXT NOT NULL,
        content BLOB,
        made_utc INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        state TEXT NOT NULL,
        state_utc INTEGER NOT NULL,
        tries INTEGER NOT NULL DEFAULT 0,
        due_utc INTEGER NOT NULL,
        claim TEXT NOT NULL DEFAULT '',
        said TEXT NOT NULL DEFAULT ''
    ) STRICT, WITHOUT ROWID
    ;
CREATE TABLE peer (
        collector TEXT PRIMARY KEY,
        url TEXT NOT NULL,
        authority TEXT,
        secret TEXT NOT NULL,
        key_hash BLOB NOT NULL,
        paired_utc INTEGER NOT NULL,
        marks TEXT NOT NULL,
        told_utc INTEGER,
        told TEXT
    ) STRICT
    ;
CREATE TABLE peer_silent (
        collector TEXT NOT NULL,
        node TEXT NOT NULL,
        heard_utc INTEGER NOT NULL,
        PRIMARY KEY (collector, node)
    ) STRICT, WITHOUT ROWID
    ;
CREATE TABLE peer_token (
        hash BLOB PRIMARY KEY,
        expires_utc INTEGER NOT NULL,
        used_utc INTEGER
    ) STRICT, WITHOUT ROWID
    ;
CREATE TABLE peer_unheard (
        id INTEGER PRIMARY KEY,
        collector TEXT NOT NULL,
        node TEXT NOT NULL,
        from_utc INTEGER NOT NULL,
        to_utc INTEGER NOT NULL,
        UNIQUE (collector, node, from_utc, to_utc)
    ) STRICT
    ;
CREATE TABLE peer_watch (
        id INTEGER PRIMARY KEY,
        collector TEXT NOT NULL,
        boot TEXT NOT NULL,
        from_utc INTEGER NOT NULL,
        to_utc INTEGER NOT NULL,
        ended TEXT,
        UNIQUE (collector, boot, from_utc)
    ) STRICT
    ;
CREATE TABLE reach (
        run INTEGER PRIMARY KEY REFERENCES run,
        heard_utc INTEGER,
        heard_boottime INTEGER,
        heard_boot INTEGER REFERENCES text,
        heard_agent INTEGER,
        alive_reach INTEGER NOT NULL,
        reach BLOB NOT NULL
    ) STRICT
    ;
INSERT INTO "reach" VALUES(1,1700003600010,3600010,1,3600000,3599003,X'9A01CE0036EA98CE0036EA9BCD0E0ECD03E805CE0036E2C8CE0036E2CBCCF0CD1388');
INSERT INTO "reach" VALUES(10,1700005700010,5700010,1,1800000,1799003,X'9A01CE001B7358CE001B735BCD06FDCD03E802CE001B67A0CE001B67A3CD0166CD1388');
CREATE TABLE rival (
        node INTEGER NOT NULL REFERENCES node,
        run TEXT NOT NULL,
        address TEXT NOT NULL,
        noted_utc INTEGER NOT NULL,
        PRIMARY KEY (node, run)
    ) STRICT, WITHOUT ROWID
    ;
CREATE TABLE run (
        sequence INTEGER PRIMARY KEY,
        node INTEGER NOT NULL REFERENCES node,
        run TEXT NOT NULL,
        boot TEXT NOT NULL,
        previous TEXT,
        opening TEXT NOT NULL,
        sent_agent INTEGER,
        recorded_utc INTEGER NOT NULL,
        UNIQUE (node, run)
    ) STRICT
    ;
INSERT INTO "run" VALUES(1,1,'aaaa0001','0b007000',NULL,'{"agent_version":"0.1.0","beat_ms":5000,"boot":"0b007000","checks":[{"interval_ms":5000,"kind":"tcp","name":"web","timeout_ms":3000}],"clock":{"agent":1000,"error_ms":5,"utc":1700000001000},"init_started_agent":100,"opened_agent":1000,"tick_ms":1000}',3000,1700000003010);
INSERT INTO "run" VALUES(10,1,'bbbb0002','0b007002','aaaa0001','{"agent_version":"0.1.0","beat_ms":5000,"boot":"0b007002","checks":[{"interval_ms":5000,"kind":"tcp","name":"web","timeout_ms":3000}],"clock":{"agent":10000,"error_ms":5,"utc":1700003910000},"init_started_agent":100,"opened_agent":10000,"previous":{"boot":"0b007000","last_number":6,"last_tick":3599000,"run":"aaaa0001"},"tick_ms":1000}',12000,1700003912010);
CREATE TABLE shared_token (
        hash BLOB PRIMARY KEY,
        nodes INTEGER NOT NULL,
        issued_utc INTEGER NOT NULL,
        expires_utc INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    ;
CREATE TABLE shared_token_use (
        hash BLOB NOT NULL REFERENCES shared_token,
        node TEXT NOT NULL,
        used_utc INTEGER NOT NULL,
        PRIMARY KEY (hash, node)
    ) STRICT, WITHOUT ROWID
    ;
CREATE TABLE span (
        sequence INTEGER PRIMARY KEY,
        run INTEGER NOT NULL REFERENCES run,
        number INTEGER NOT NULL,
        "check" INTEGER NOT NULL REFERENCES text,
        state TEXT NOT NULL CHECK (state IN ('up', 'degraded', 'down', 'unknown')),
        first_begin INTEGER NOT NULL,
        first_end INTEGER NOT NULL,
        last_begin INTEGER NOT NULL,
        last_end INTEGER NOT NULL,
        samples INTEGER NOT NULL,
        largest_gap INTEGER NOT NULL,
        message INTEGER REFERENCES text,
        marks INTEGER REFERENCES text,
        recorded_utc INTEGER NOT NULL, heard_utc INTEGER,
        UNIQUE (run, number)
    ) STRICT
    ;
INSERT INTO "span" VALUES(3,1,2,2,'up',2000,2003,1797000,1797003,360,5000,NULL,NULL,1700001800010,1700000003010);
INSERT INTO "span" VALUES(6,1,4,2,'down',1802000,1802003,2397000,2397003,120,5000,4,NULL,1700002400010,1700002400010);
CREATE TABLE text (
        id INTEGER PRIMARY KEY,
        text TEXT NOT NULL UNIQUE
    ) STRICT
    ;
INSERT INTO "text" VALUES(1,'c011ec70');
INSERT INTO "text" VALUES(2,'web');
INSERT INTO "text" VALUES(3,'c0ffee00');
INSERT INTO "text" VALUES(4,'connection refused');
CREATE TABLE token (
        hash BLOB PRIMARY KEY,
        node TEXT NOT NULL,
        issued_utc INTEGER NOT NULL,
        expires_utc INTEGER NOT NULL,
        used_utc INTEGER
    ) STRICT, WITHOUT ROWID
    ;
INSERT INTO "token" VALUES(X'AFB5D707D985033956C1D793BC68CCB5D898710DAC2ADF4CFE346B565B24AF7D','db-01',1700000000000,1700000060000,1700000000001);
CREATE TABLE touched (
        sequence INTEGER NOT NULL,
        node TEXT NOT NULL,
        "check" TEXT NOT NULL,
        from_utc INTEGER NOT NULL,
        to_utc INTEGER NOT NULL
    ) STRICT
    ;
CREATE TABLE unheard (
        id INTEGER PRIMARY KEY,
        node INTEGER NOT NULL REFERENCES node,
        from_utc INTEGER,
        to_utc INTEGER NOT NULL,
        reach BLOB NOT NULL
    ) STRICT
    ;
INSERT INTO "unheard" VALUES(-1,1,NULL,1700000003010,X'90');
INSERT INTO "unheard" VALUES(1,1,1700000003010,1700001800010,X'919201C4139A01CD07D0CD07D3010002CD07D0CD07D30100');
INSERT INTO "unheard" VALUES(2,1,1700001800010,1700002400010,X'919201C4129501CE001B6F70CE001B6F73CD0705CD03E8');
INSERT INTO "unheard" VALUES(3,1,1700002400010,1700003600010,X'919201C4129501CE00249730CE00249733CD095DCD03E8');
INSERT INTO "unheard" VALUES(4,1,1700003600010,1700003912010,X'919201C4229A01CE0036EA98CE0036EA9BCD0E0ECD03E805CE0036E2C8CE0036E2CBCCF0CD1388');
INSERT INTO "unheard" VALUES(5,1,1700003912010,1700005700010,X'929201C4229A01CE0036EA98CE0036EA9BCD0E0ECD03E805CE0036E2C8CE0036E2CBCCF0CD1388920AC4139A01CD2AF8CD2AFB010002CD2AF8CD2AFB0100');
CREATE TABLE watch (
        id INTEGER PRIMARY KEY,
        boot TEXT NOT NULL,
        from_utc INTEGER NOT NULL,
        to_utc INTEGER NOT NULL,
        from_boottime INTEGER NOT NULL,
        to_boottime INTEGER NOT NULL,
        ended TEXT
    ) STRICT
    ;
INSERT INTO "watch" VALUES(1,'c011ec70',1700000000000,1700010800000,0,10800000,NULL);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX open_spans_live ON open_spans (run) WHERE current = 1 OR length(open) > 1;
CREATE INDEX span_by_time ON span (run, "check", first_begin);
CREATE INDEX exchange_by_time ON exchange (run, collector, sent_agent);
CREATE INDEX outage_by_end ON outage (end_utc) WHERE merged_into IS NULL;
CREATE INDEX outage_running ON outage (number) WHERE running = 1;
CREATE INDEX outage_merged ON outage (number) WHERE merged_into IS NOT NULL;
CREATE INDEX unheard_by_node ON unheard (node, to_utc);
CREATE INDEX open_spans_changed ON open_spans (changed);
CREATE UNIQUE INDEX node_fresh_key_hash ON node (fresh_key_hash);
CREATE INDEX peer_watch_by_end ON peer_watch (to_utc);
CREATE INDEX peer_unheard_by_end ON peer_unheard (to_utc);
CREATE INDEX peer_unheard_first ON peer_unheard (collector, node) WHERE from_utc = 0;
CREATE INDEX outage_changed ON outage (changed);
CREATE INDEX account_session_by_name ON account_session (name);
CREATE INDEX account_reset_by_name ON account_reset (name);
CREATE INDEX api_token_by_owner ON api_token (owner);
CREATE INDEX outbox_by_state ON outbox (state, due_utc);
CREATE INDEX notice_by_target ON notice (target, state, place);
CREATE INDEX disposed_block_to_go ON disposed_block (number) WHERE gone = 0;
COMMIT;
