"""What people say of answers; it belongs to the role that enters the tenant's schema, as in the first migration."""

import common.ids
import django.contrib.postgres.fields
from django.db import migrations, models


GRANTS = """
DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON %I.chat_feedback FROM PUBLIC, orchestrator_system', current_schema());
    EXECUTE format(
        'GRANT SELECT, INSERT, UPDATE, DELETE ON %I.chat_feedback TO orchestrator_app', current_schema()
    );
END
$$
"""


class Migration(migrations.Migration):

    dependencies = [
        ('chat', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Feedback',
            fields=[
                ('id', models.UUIDField(default=common.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('request_id', models.UUIDField()),
                ('author_id', models.UUIDField()),
                ('user_id', models.UUIDField(null=True)),
                ('api_key_id', models.UUIDField(null=True)),
                ('rating', models.SmallIntegerField(default=0)),
                ('score', models.FloatField(null=True)),
                ('regenerated', models.BooleanField(default=False)),
                ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=64), default=list, size=None)),
                ('comment', models.TextField(default='')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('request_id', 'author_id'), name='one_feedback_of_an_author'), models.CheckConstraint(condition=models.Q(('rating__in', [-1, 0, 1])), name='feedback_rating_is_known'), models.CheckConstraint(condition=models.Q(('score__isnull', True), ('score__range', (0, 1)), _connector='OR'), name='feedback_score_is_a_share')],
            },
        ),
        migrations.RunSQL(GRANTS, migrations.RunSQL.noop),
    ]
