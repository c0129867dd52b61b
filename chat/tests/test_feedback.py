"""What people say of answers: through the API, as their tenant and as another."""

import itertools

import pytest
from django.test import Client

from billing.tests.entries import make_decision, make_intent, store
from chat.feedback import give_feedback, list_feedback
from chat.models import Feedback
from common.errors import InvalidRequest, NotFound
from common.ids import new_id
from tenants.actions.api_keys import create_api_key
from tenants.actions.tenants import set_tenant_state
from tenants.door import tenant_scope
from tenants.tests.cast import join, new_person

pytestmark = pytest.mark.django_db(transaction=True)


class Caller:
    def __init__(self, owner, **options):
        self.tenant = owner.tenant
        self._key = create_api_key(tenant=owner.tenant, name="caller", **options)
        self.key_id = self._key.id

    def send(self, method, path="/v1/feedback", **options):
        headers = {"host": "localhost", "authorization": f"Bearer {self._key.text}"}
        return getattr(Client(headers=headers), method)(path, content_type="application/json", **options)

    def say(self, **said):
        answer = self.send("post", data=said)
        return answer.status_code, answer.json()

    def refused(self, **said):
        status, answer = self.say(**said)
        return status, answer["error"]["param"]

    def list(self, **query):
        answer = self.send("get", QUERY_STRING="&".join(f"{name}={value}" for name, value in query.items()))
        assert answer.status_code == 200, answer.content
        return answer.json()

    def ids(self, **query):
        return [each["id"] for each in self.list(**query)["data"]]


def requested(tenant):
    intent = make_intent(tenant_id=tenant.id)
    store(intents=[intent])
    return str(intent.request_id)


@pytest.fixture
def owner(make_tenant):
    return make_tenant("feedback")


@pytest.fixture
def alice(owner):
    return Caller(owner)


@pytest.fixture
def request_id(owner):
    return requested(owner.tenant)


def test_what_is_said_is_kept_and_listed(alice, request_id):
    said = {"rating": "down", "score": 0.25, "regenerated": True, "tags": ["wrong", "long"], "comment": " No. "}
    status, kept = alice.say(request_id=request_id, **said)
    assert status == 201
    assert {name: kept[name] for name in said} == {**said, "rating": -1, "comment": "No."}
    assert (kept["object"], kept["request_id"], kept["user_id"]) == ("feedback", request_id, None)
    assert kept["api_key_id"] == str(alice.key_id)
    assert alice.list() == {"object": "list", "has_more": False, "data": [kept]}


def test_a_request_has_one_feedback_of_an_author_and_the_later_replaces_the_earlier(alice, request_id):
    _, first = alice.say(request_id=request_id, rating="up", comment="Good.", tags=["a"])
    status, second = alice.say(request_id=request_id, rating=-1)
    assert (status, second["id"], second["rating"]) == (200, first["id"], -1)
    assert (second["comment"], second["tags"], second["created_at"]) == ("", [], first["created_at"])
    assert alice.ids() == [first["id"]]


def test_a_person_with_two_keys_is_one_author_and_two_keys_of_nobodys_are_two(owner, request_id):
    person = new_person("dora")
    join(owner, person, "developer")
    hers = [Caller(owner, created_by=person.id) for _ in range(2)]
    nobodys = [Caller(owner) for _ in range(2)]
    assert [each.say(request_id=request_id, rating=1)[0] for each in (*hers, *nobodys)] == [201, 200, 201, 201]
    with tenant_scope(owner.tenant):
        assert Feedback.objects.filter(user_id=person.id).count() == 1


def test_a_request_that_was_only_decided_on_can_be_spoken_of(alice):
    intent = make_intent(tenant_id=alice.tenant.id)
    store(decisions=[make_decision(intent, outcome="cached", tried=())])
    assert alice.say(request_id=str(intent.request_id), rating=1)[0] == 201


@pytest.mark.parametrize(
    ("said", "param"),
    [
        ({"rating": 2}, "rating"),
        ({"rating": "sideways"}, "rating"),
        ({"rating": True}, "rating"),
        ({"rating": None}, "rating"),
        ({"rating": 0.5}, "rating"),
        ({}, "rating"),
        ({"tags": [], "comment": "  "}, "rating"),
        ({"score": 1.5}, "score"),
        ({"score": "nan"}, "score"),
        ({"regenerated": "perhaps"}, "regenerated"),
        ({"tags": "a"}, "tags"),
        ({"tags": ["a"] * 21}, "tags"),
        ({"tags": ["a" * 65]}, "tags[0]"),
        ({"comment": "x" * 4001}, "comment"),
        ({"stars": 5}, "stars"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_field(alice, request_id, said, param):
    assert alice.refused(request_id=request_id, **said) == (400, param)
    assert alice.ids() == []


BEYOND_CALENDARS = "ffffffff-ffff-7fff-bfff-ffffffffffff"


@pytest.mark.parametrize(
    "unknown", ["", "nonsense", "0198c0de-0000-4000-8000-000000000000", BEYOND_CALENDARS, "x" * 64, None, 7]
)
def test_what_names_no_request_is_refused(alice, unknown):
    status, param = alice.refused(request_id=unknown, rating=1)
    assert (status in (400, 404), param) == (True, "request_id")


def test_a_request_nobody_made_is_not_found(alice):
    assert alice.refused(request_id=str(new_id()), rating=1) == (404, "request_id")


def test_charlie_neither_speaks_of_acmes_requests_nor_reads_what_is_said_of_them(alice, cast, request_id):
    charlie = Caller(cast.globex)
    alice.say(request_id=request_id, rating=1)
    assert charlie.refused(request_id=request_id, rating=-1) == (404, "request_id")
    assert charlie.list(request_id=request_id)["data"] == []
    assert [each["rating"] for each in alice.list(request_id=request_id)["data"]] == [1]
    with pytest.raises(NotFound):
        give_feedback(tenant=cast.globex.tenant, request_id=new_id(), user_id=None, api_key_id=charlie.key_id, rating=1)


def test_pages_follow_each_other(alice):
    made = [alice.say(request_id=requested(alice.tenant), rating=1)[1]["id"] for _ in range(5)]
    first = alice.list(limit=2)
    assert ([each["id"] for each in first["data"]], first["has_more"]) == (made[:2:-1], True)
    second = alice.list(limit=2, after=made[3])
    assert ([each["id"] for each in second["data"]], second["has_more"]) == (made[2:0:-1], True)
    assert alice.ids(limit=2, after=made[1]) == made[:1]
    assert alice.list(limit=2, after=made[1])["has_more"] is False


def test_a_list_is_filtered(alice):
    good, bad, again = (requested(alice.tenant) for _ in range(3))
    said = itertools.chain(
        [alice.say(request_id=good, rating="up", tags=["kind"])],
        [alice.say(request_id=bad, rating="down", tags=["rude", "long"])],
        [alice.say(request_id=again, regenerated=True)],
    )
    ids = [kept["id"] for _, kept in said]
    assert (
        alice.ids(rating="up") == alice.ids(rating=1) == alice.ids(tag="kind") == alice.ids(request_id=good) == ids[:1]
    )
    assert alice.ids(rating="down", tag="long") == ids[1:2]
    assert alice.ids(rating="0") == alice.ids(regenerated="true") == ids[2:]
    assert alice.ids(tag="none") == alice.ids(since="2099-01-01T00:00:00Z") == []
    assert alice.ids(since="2020-01-01T00:00:00Z") == ids[::-1]


@pytest.mark.parametrize(
    "query",
    ["rating=9", "after=x", "since=today", "limit=0", "limit=201", "regenerated=1", "colour=red", "request_id=1"],
)
def test_a_wrong_filter_is_refused_by_its_name(alice, query):
    answer = alice.send("get", QUERY_STRING=query)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, query.partition("=")[0])


def test_scopes(owner, request_id):
    writer = Caller(owner, scopes_granted=["completions:write"])
    other = Caller(owner, scopes_granted=["completions:write"])
    reader = Caller(owner, scopes_granted=["usage:read"])
    neither = Caller(owner, scopes_granted=["models:read"])
    _, kept = writer.say(request_id=request_id, rating=1)
    assert reader.say(request_id=request_id, rating=1)[0] == 403
    assert neither.send("get").status_code == 403
    assert writer.ids() == reader.ids() == [kept["id"]]
    assert other.ids() == []


def test_a_tenant_that_is_read_only_takes_none(owner, alice, request_id):
    set_tenant_state(tenant=owner.tenant, state="read_only")
    assert alice.say(request_id=request_id, rating=1)[0] == 403
    assert alice.ids() == []


def test_feedback_is_somebodys(owner, request_id):
    with pytest.raises(InvalidRequest) as refusal:
        give_feedback(tenant=owner.tenant, request_id=request_id, user_id=None, api_key_id=None, rating=1)
    assert refusal.value.param == "user_id"
    assert list_feedback(tenant=owner.tenant, limit=1) == ([], False)
