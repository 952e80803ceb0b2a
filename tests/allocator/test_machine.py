"""`doctor` runs what it claims to check, and says what to do where it fails."""

from allocator import machine


def test_a_missing_library_names_its_remedy():
    check = machine._library("no-such-library", None)
    assert not check.ok
    assert check.remedy == "pip install no-such-library"


def test_a_wrong_version_is_a_fault():
    assert machine._library("numpy", "2").ok
    assert not machine._library("numpy", "0.1").ok


def test_a_solver_that_raises_is_a_finding_not_a_crash(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("no licence")

    monkeypatch.setattr("models.solve.solve", broken)
    check = machine._solver("highs")
    assert not check.ok
    assert "no licence" in check.found


def test_a_solver_with_a_wrong_optimum_is_a_fault(monkeypatch):
    monkeypatch.setattr("models.sample.SAMPLE_OPTIMUM", 24.0)
    assert not machine._solver("highs").ok


def test_all_is_well_here():
    assert [check for check in machine.doctor() if not check.ok] == []
