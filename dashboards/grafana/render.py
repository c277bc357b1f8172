"""Everything that Grafana gets, as files: the same office gives the same bytes."""

from pathlib import Path

from dashboards.grafana.alerts import rule_group
from dashboards.grafana.boards import boards, encode
from dashboards.grafana.place import Office
from dashboards.grafana.playlist import playlists
from dashboards.grafana.provisioning import dashboards_yaml, datasource_yaml

__all__ = ["drift", "files", "write"]


def files(office: Office) -> dict[str, str]:
    """Return path below the folder of generated files → text, ordered by path."""
    found = {f"dashboards/{board['uid']}.json": encode(board) for board in boards(office)}
    group = rule_group()
    found[f"alerts/{group['title']}.json"] = encode(group)
    found |= {f"playlists/{name}.json": encode(spec) for name, spec in playlists().items()}
    found["provisioning/datasources/nhip.yaml"] = datasource_yaml()
    found["provisioning/dashboards/nhip.yaml"] = dashboards_yaml()
    return dict(sorted(found.items()))


def drift(office: Office, folder: Path) -> list[str]:
    """Return the paths in the folder that are missing, differ, or should not be there; none when it is current."""
    wanted = files(office)
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    differing = [name for name in wanted.keys() & there if (folder / name).read_text("utf-8") != wanted[name]]
    return sorted({*differing, *(wanted.keys() ^ there)})


def write(office: Office, folder: Path) -> list[str]:
    """Bring the folder up to date and return what was changed; files that are not ours are left alone."""
    changed, wanted = [], files(office)
    for name, text in wanted.items():
        path = folder / name
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        changed.append(name)
    for pattern in ("dashboards/nhip-*.json", "alerts/nhip-*.json", "playlists/nhip-*.json"):
        for path in sorted(folder.glob(pattern)):
            name = path.relative_to(folder).as_posix()
            if name not in wanted:
                path.unlink()
                changed.append(name)
    return changed
