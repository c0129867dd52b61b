"""Routes that a request names to fall back to: their targets are there when they are for anybody else."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


def other_day(scene):
    """A schedule that does not hold today."""
    today = scene.gateways[0].services.clock.now().strftime("%a").lower()
    return {"days": ["mon" if today in ("wed", "thu", "fri") else "thu"]}


@pytest.mark.parametrize("first", ["route", "model"])
async def test_targets_keep_their_tags_and_schedules(scene, first):
    broken = "first/mock-500"
    await scene.offer(broken)
    model = await scene.route(broken, name="broken", retries=0) if first == "route" else scene.name(broken)
    named = await scene.route(
        {"target": "eu/plain", "tags": ["eu"]}, {"target": "late/plain", "schedule": other_day(scene)}, name="named"
    )
    for gateway in scene.gateways:
        reply = await scene.ask(model, gateway=gateway, fallbacks=[named])
        assert reply.status >= 500
        assert set(scene.models_seen(reply)) == {"mock-500"}
        record = await scene.record(reply)
        skipped = {each["target"]: each["reason"] for each in record["considered"] if each["verdict"] == "not_needed"}
        assert skipped[scene.name("eu/plain")] == "other_tags"
        assert skipped[scene.name("late/plain")] == "not_scheduled"
        tagged = await scene.ask(model, gateway=gateway, fallbacks=[named], headers={"x-orchestrator-tags": "eu"})
        assert tagged.status == 200
