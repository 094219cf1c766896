"""Seats fit the machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_stages import FakeStage

from tdmm.corpus.pipeline.crew import Seat, plan_seats
from tdmm.errors import InvalidInput


def stage(name: str, cpus: float = 1, gpus: float = 0) -> FakeStage:
    return FakeStage(name, Path("log"), cpus=cpus, gpus=gpus)


def of(seats: list[Seat], number: int) -> list[Seat]:
    return [seat for seat in seats if number in seat.stages]


def test_stages_that_ask_for_the_same_share_every_core() -> None:
    seats = plan_seats([stage("draw"), stage("track"), stage("judge")], cpus=4, gpus=0)
    assert seats == [Seat(number, (0, 1, 2), 1.0, 0.0) for number in range(4)]


def test_gpus_are_for_those_who_ask_for_them() -> None:
    seats = plan_seats([stage("video", gpus=1), stage("track")], cpus=16, gpus=4)
    assert [seat.gpus for seat in of(seats, 0)] == [1, 1, 1, 1]
    assert {seat.gpus for seat in of(seats, 1)} == {0}
    assert len(of(seats, 1)) == 12
    assert [seat.number for seat in seats] == list(range(16))
    assert len(plan_seats([stage("video", gpus=0.5)], cpus=8, gpus=2)) == 4


def test_those_who_wait_for_a_server_reserve_nothing() -> None:
    seats = plan_seats([stage("caption", cpus=0.1), stage("track")], cpus=2, gpus=0)
    assert [seat.cpus for seat in of(seats, 0)] == [0, 0]
    assert [seat.cpus for seat in of(seats, 1)] == [1, 1]


def test_a_machine_smaller_than_what_is_asked_for_has_a_seat_for_everybody() -> None:
    seats = plan_seats([stage("fit", cpus=8), stage("track", cpus=2), stage("judge")], cpus=2, gpus=0)
    assert {number for seat in seats for number in seat.stages} == {0, 1, 2}
    assert sum(seat.cpus for seat in seats) <= 2 + 1e-9
    assert all(seat.cpus <= 1 or seat.cpus == int(seat.cpus) for seat in seats)  # Ray takes no other


def test_gpus_that_are_not_there_are_missed_at_once() -> None:
    with pytest.raises(InvalidInput, match=r"'video' \(1\), 'caption' \(0.5\) takes 1.5 GPUs, and there are 1"):
        plan_seats([stage("video", gpus=1), stage("caption", gpus=0.5), stage("track")], cpus=8, gpus=1)
