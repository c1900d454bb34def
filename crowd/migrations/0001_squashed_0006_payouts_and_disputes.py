import annotation.ids
import crowd.models.payouts
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


POSTGRESQL = """
CREATE FUNCTION crowd_the_ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;
CREATE TRIGGER the_ledger_is_append_only BEFORE UPDATE OR DELETE ON crowd_ledgerentry
FOR EACH ROW EXECUTE FUNCTION crowd_the_ledger_is_append_only();
"""
SQLITE = [
    """CREATE TRIGGER the_ledger_is_never_changed BEFORE UPDATE ON crowd_ledgerentry
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    """CREATE TRIGGER the_ledger_forgets_nothing BEFORE DELETE ON crowd_ledgerentry
    BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
]


def forbid(apps, schema_editor):
    """A later migration that rebuilds the table on SQLite has to do this again: its triggers go with the old table."""
    statements = [POSTGRESQL] if schema_editor.connection.vendor == "postgresql" else SQLITE
    for statement in statements:
        schema_editor.execute(statement, params=None)


def allow(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER the_ledger_is_append_only ON crowd_ledgerentry", params=None)
        schema_editor.execute("DROP FUNCTION crowd_the_ledger_is_append_only()", params=None)
        return
    for name in ("the_ledger_is_never_changed", "the_ledger_forgets_nothing"):
        schema_editor.execute(f"DROP TRIGGER {name}", params=None)


class Migration(migrations.Migration):

    replaces = [('crowd', '0001_initial'), ('crowd', '0002_seats_granted_by_a_person'), ('crowd', '0003_flags_of_workers'), ('crowd', '0004_qualification_and_gold_in_use'), ('crowd', '0005_ghosts'), ('crowd', '0006_payouts_and_disputes')]

    initial = True

    dependencies = [
        ('annotation', '0001_squashed_0004_webhooks'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Batch',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('policy', models.JSONField()),
                ('status', models.CharField(choices=[('opening', 'Opening'), ('open', 'Open'), ('paused', 'Paused'), ('done', 'Done'), ('cancelled', 'Cancelled')], default='opening', max_length=16)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('ontology', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.ontology')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='batches', to='annotation.project')),
            ],
        ),
        migrations.CreateModel(
            name='Gold',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('start', models.PositiveIntegerField()),
                ('stop', models.PositiveIntegerField()),
                ('retired_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='gold', to='annotation.project')),
                ('track_set', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='gold', to='annotation.trackset')),
                ('video', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='gold', to='annotation.video')),
                ('cleared_at', models.DateTimeField(null=True)),
                ('evidence', models.JSONField(null=True)),
                ('flagged_at', models.DateTimeField(null=True)),
                ('retired_reason', models.TextField(blank=True, default='')),
            ],
            options={
                'indexes': [models.Index(fields=['video', 'start'], name='gold_of_a_video')],
                'constraints': [models.CheckConstraint(condition=models.Q(('stop__gt', models.F('start'))), name='gold_has_frames'), models.CheckConstraint(condition=models.Q(('retired_at__isnull', True), models.Q(('retired_reason', ''), _negated=True), _connector='OR'), name='retired_gold_has_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='Payout',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('locked', 'Locked'), ('sending', 'Sending'), ('paid', 'Paid'), ('failed', 'Failed'), ('unknown', 'Unknown')], default='draft', max_length=16)),
                ('provider', models.CharField(default='file', max_length=32)),
                ('reason', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('locked_at', models.DateTimeField(null=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('delivered_at', models.DateTimeField(null=True)),
                ('settled_at', models.DateTimeField(null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payouts', to='annotation.project')),
            ],
            options={
                'indexes': [models.Index(fields=['project', '-created_at'], name='payouts_of_a_project')],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'locked', 'sending', 'paid', 'failed', 'unknown'])), name='a_payout_has_a_known_state'), models.CheckConstraint(condition=models.Q(('status__in', ['draft', 'locked', 'failed']), models.Q(('locked_at__isnull', False), ('sent_at__isnull', False)), _connector='OR'), name='what_was_sent_was_locked')],
            },
        ),
        migrations.CreateModel(
            name='Policy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField()),
                ('values', models.JSONField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='policies', to='annotation.project')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('project', 'version'), name='a_policy_version_is_written_once')],
            },
        ),
        migrations.CreateModel(
            name='PreLabels',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pre_labels', to='annotation.project')),
                ('track_set', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='pre_labels', to='annotation.trackset')),
                ('video', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='pre_labels', to='annotation.video')),
            ],
        ),
        migrations.CreateModel(
            name='Qualification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('training', 'Training'), ('waiting', 'Waiting'), ('passed', 'Passed'), ('failed', 'Failed')], default='training', max_length=16)),
                ('attempt', models.PositiveSmallIntegerField(default=1)),
                ('scores', models.JSONField(default=dict)),
                ('marks', models.JSONField(default=dict)),
                ('retry_at', models.DateTimeField(null=True)),
                ('decided_at', models.DateTimeField(null=True)),
                ('reason', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='qualifications', to='annotation.project')),
                ('worker', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='qualifications', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('project', 'worker'), name='a_worker_qualifies_once_in_a_project'), models.CheckConstraint(condition=models.Q(models.Q(('retry_at__isnull', False), ('status', 'waiting')), models.Q(models.Q(('status', 'waiting'), _negated=True), ('retry_at__isnull', True)), _connector='OR'), name='only_who_waits_may_retry_later'), models.CheckConstraint(condition=models.Q(('status', 'training'), ('decided_at__isnull', False), _connector='OR'), name='a_qualification_knows_when_it_was_decided')],
            },
        ),
        migrations.CreateModel(
            name='SamePerson',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('reason', models.TextField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('lifted_reason', models.TextField(blank=True, default='')),
                ('lifted_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('lifted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('one', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('other', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='same_persons', to='annotation.project')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('project', 'one', 'other'), name='two_accounts_are_told_once'), models.CheckConstraint(condition=models.Q(('one__lt', models.F('other'))), name='two_accounts_are_in_order'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='a_same_person_has_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='Sanction',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('paused', 'Paused'), ('banned', 'Banned')], max_length=16)),
                ('reason', models.TextField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('lifted_reason', models.TextField(blank=True, default='')),
                ('lifted_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('lifted_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sanctions', to='annotation.project')),
                ('worker', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sanctions', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('lifted_at__isnull', True)), fields=('project', 'worker'), name='a_worker_has_one_standing'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='a_sanction_has_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='Skill',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('mean', models.FloatField()),
                ('low', models.FloatField()),
                ('high', models.FloatField()),
                ('figures', models.JSONField()),
                ('computed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='skills', to='annotation.project')),
                ('worker', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='skills', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('project', 'worker'), name='a_worker_has_one_skill_in_a_project'), models.CheckConstraint(condition=models.Q(('high__lte', 1), ('low__gte', 0), ('mean__gte', 0), ('mean__lte', 1)), name='a_skill_is_a_share')],
            },
        ),
        migrations.CreateModel(
            name='Suspicion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=32)),
                ('evidence', models.JSONField()),
                ('computed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='suspicions', to='annotation.project')),
                ('worker', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='suspicions', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('project', 'worker', 'code'), name='a_flag_is_raised_once')],
            },
        ),
        migrations.CreateModel(
            name='BatchVideo',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('live', models.BooleanField(default=True)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='batch_videos', to='crowd.batch')),
                ('cut', models.OneToOneField(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='batch_video', to='annotation.cut')),
                ('video', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='batch_videos', to='annotation.video')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('batch', 'video'), name='a_video_is_once_in_a_batch'), models.UniqueConstraint(condition=models.Q(('live', True)), fields=('video',), name='a_video_is_in_one_live_batch')],
            },
        ),
        migrations.CreateModel(
            name='GoldEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('retired', 'Retired'), ('restored', 'Restored'), ('flagged', 'Flagged')], max_length=16)),
                ('reason', models.TextField()),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('gold', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='events', to='crowd.gold')),
            ],
        ),
        migrations.CreateModel(
            name='PayoutLine',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('currency', models.CharField(max_length=3)),
                ('amount_micros', models.BigIntegerField()),
                ('reference', models.CharField(default=crowd.models.payouts.new_reference, max_length=35, unique=True)),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('locked', 'Locked'), ('sending', 'Sending'), ('paid', 'Paid'), ('failed', 'Failed'), ('unknown', 'Unknown')], default='locked', max_length=16)),
                ('reason', models.TextField(blank=True, default='')),
                ('settled_at', models.DateTimeField(null=True)),
                ('payout', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='crowd.payout')),
                ('worker', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payout_lines', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['payout', 'status'], name='lines_of_a_payout')],
                'constraints': [models.UniqueConstraint(fields=('payout', 'worker', 'currency'), name='a_payout_pays_a_worker_once_per_currency'), models.CheckConstraint(condition=models.Q(('amount_micros__gt', 0)), name='a_payout_line_pays_something'), models.CheckConstraint(condition=models.Q(('status__in', ['locked', 'sending', 'paid', 'failed', 'unknown'])), name='a_payout_line_has_a_known_state'), models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['paid', 'failed']), _negated=True), ('settled_at__isnull', False), _connector='OR'), name='a_settled_line_knows_when')],
            },
        ),
        migrations.CreateModel(
            name='Task',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('opening', 'Opening'), ('open', 'Open'), ('filled', 'Filled'), ('in_review', 'In Review'), ('done', 'Done'), ('quarantined', 'Quarantined'), ('cancelled', 'Cancelled'), ('training', 'Training')], default='opening', max_length=16)),
                ('reason', models.TextField(blank=True, default='')),
                ('priority', models.IntegerField(default=0)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('opened_at', models.DateTimeField(null=True)),
                ('done_at', models.DateTimeField(null=True)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tasks', to='crowd.batch')),
                ('gold', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='tasks', to='crowd.gold')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='tasks', to='annotation.project')),
                ('segment', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='task', to='annotation.segment')),
                ('asked', models.PositiveSmallIntegerField(default=0)),
                ('outcome', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='annotation.trackset')),
            ],
            options={
                'indexes': [models.Index(fields=['batch', 'status'], name='tasks_of_a_batch_by_status')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('status', 'quarantined'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='a_quarantined_task_has_a_reason'), models.CheckConstraint(condition=models.Q(models.Q(('done_at__isnull', False), ('status', 'done')), models.Q(('status', 'done'), _negated=True), _connector='OR'), name='a_done_task_knows_when')],
            },
        ),
        migrations.CreateModel(
            name='Assignment',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('extra', models.BooleanField(default=False)),
                ('status', models.CharField(choices=[('open', 'Open'), ('held', 'Held'), ('submitted', 'Submitted'), ('accepted', 'Accepted'), ('rejected', 'Rejected'), ('expired', 'Expired'), ('released', 'Released'), ('revoked', 'Revoked'), ('withdrawn', 'Withdrawn')], default='open', max_length=16)),
                ('priority', models.IntegerField(default=0)),
                ('token', models.CharField(max_length=32, null=True)),
                ('slot', models.PositiveSmallIntegerField(null=True)),
                ('lease_until', models.DateTimeField(null=True)),
                ('renewals', models.PositiveSmallIntegerField(default=0)),
                ('reward_micros', models.BigIntegerField(default=0)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('claimed_at', models.DateTimeField(null=True)),
                ('submitted_at', models.DateTimeField(null=True)),
                ('ended_at', models.DateTimeField(null=True)),
                ('decided_at', models.DateTimeField(null=True)),
                ('client_work_s', models.FloatField(null=True)),
                ('reason', models.TextField(blank=True, default='')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='assignments', to='annotation.project')),
                ('track_set', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='assignment', to='annotation.trackset')),
                ('worker', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='assignments', to=settings.AUTH_USER_MODEL)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='assignments', to='crowd.batch')),
                ('task', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='assignments', to='crowd.task')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('status', 'open')), fields=['batch', 'extra', '-priority', 'id'], name='open_seats_to_claim'), models.Index(condition=models.Q(('status', 'held')), fields=['lease_until'], name='held_seats_by_lease'), models.Index(fields=['worker', 'status', 'project'], name='seats_of_a_worker'), models.Index(fields=['project', 'status'], name='seats_of_a_project')],
                'constraints': [models.UniqueConstraint(fields=('task', 'worker'), name='a_worker_sits_at_a_task_once'), models.UniqueConstraint(fields=('worker', 'project', 'slot'), name='a_slot_holds_one_seat'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'open'), ('lease_until__isnull', True), ('slot__isnull', True), ('claimed_at__isnull', True), ('token__isnull', True), ('track_set__isnull', True), ('worker__isnull', True)), models.Q(('claimed_at__isnull', False), ('lease_until__isnull', False), ('slot__isnull', False), ('status', 'held'), ('token__isnull', False), ('track_set__isnull', True), ('worker__isnull', False)), models.Q(('lease_until__isnull', True), ('slot__isnull', True), ('status__in', ('submitted', 'accepted', 'rejected')), ('submitted_at__isnull', False), ('track_set__isnull', False), ('worker__isnull', False)), models.Q(('lease_until__isnull', True), ('slot__isnull', True), ('ended_at__isnull', False), ('status__in', ('expired', 'released', 'revoked')), ('track_set__isnull', True), ('worker__isnull', False)), models.Q(('status', 'withdrawn'), ('lease_until__isnull', True), ('slot__isnull', True), ('claimed_at__isnull', True), ('token__isnull', True), ('track_set__isnull', True), ('worker__isnull', True)), _connector='OR'), name='a_seat_is_in_one_possible_state'), models.CheckConstraint(condition=models.Q(('reward_micros__gte', 0)), name='a_reward_is_not_negative'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'rejected'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='a_rejected_submission_has_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='PayoutStep',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('from_status', models.CharField(blank=True, default='', max_length=16)),
                ('to_status', models.CharField(choices=[('draft', 'Draft'), ('locked', 'Locked'), ('sending', 'Sending'), ('paid', 'Paid'), ('failed', 'Failed'), ('unknown', 'Unknown')], max_length=16)),
                ('reason', models.TextField(blank=True, default='')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('line', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='crowd.payoutline')),
                ('payout', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='steps', to='crowd.payout')),
            ],
        ),
        migrations.CreateModel(
            name='TrainingTask',
            fields=[
                ('task', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='training', serialize=False, to='crowd.task')),
                ('round', models.PositiveSmallIntegerField(default=0)),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='training_tasks', to='crowd.batch')),
                ('gold', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='training_tasks', to='crowd.gold')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('batch', 'gold', 'round'), name='a_training_task_is_made_once')],
            },
        ),
        migrations.CreateModel(
            name='Dispute',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('open', 'Open'), ('upheld', 'Upheld'), ('declined', 'Declined')], default='open', max_length=16)),
                ('reason', models.TextField()),
                ('answer', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('answered_at', models.DateTimeField(null=True)),
                ('answered_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('assignment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='disputes', to='crowd.assignment')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='disputes', to='annotation.project')),
                ('worker', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='disputes', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['project', 'status'], name='disputes_of_a_project')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('status', 'open')), fields=('assignment',), name='an_assignment_has_one_open_dispute'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='a_dispute_has_a_reason'), models.CheckConstraint(condition=models.Q(models.Q(('answered_at__isnull', True), ('status', 'open')), models.Q(models.Q(('status', 'open'), _negated=True), ('answered_at__isnull', False), models.Q(('answer', ''), _negated=True)), _connector='OR'), name='an_answered_dispute_has_its_answer')],
            },
        ),
        migrations.CreateModel(
            name='Draft',
            fields=[
                ('assignment', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='draft', serialize=False, to='crowd.assignment')),
                ('body', models.TextField()),
                ('saved_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='Ghost',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('side', models.SmallIntegerField()),
                ('start', models.PositiveIntegerField()),
                ('stop', models.PositiveIntegerField()),
                ('assignment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ghosts', to='crowd.assignment')),
                ('track_set', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.trackset')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('assignment', 'side'), name='a_seat_has_one_ghost_a_side'), models.CheckConstraint(condition=models.Q(('side__in', (-1, 1))), name='a_ghost_has_a_side'), models.CheckConstraint(condition=models.Q(('stop__gt', models.F('start'))), name='a_ghost_has_frames')],
            },
        ),
        migrations.CreateModel(
            name='LateBody',
            fields=[
                ('assignment', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='late_body', serialize=False, to='crowd.assignment')),
                ('body', models.TextField()),
                ('came_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('salvaged_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('accrual', 'Accrual'), ('reversal', 'Reversal'), ('bonus', 'Bonus'), ('payout', 'Payout'), ('carry', 'Carry')], max_length=16)),
                ('round', models.PositiveSmallIntegerField(default=0)),
                ('amount_micros', models.BigIntegerField()),
                ('currency', models.CharField(max_length=3)),
                ('reference', models.CharField(blank=True, default='', max_length=100)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('assignment', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='ledger', to='crowd.assignment')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ledger', to='annotation.project')),
                ('worker', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='ledger', to=settings.AUTH_USER_MODEL)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('reason', models.TextField(blank=True, default='')),
                ('reverses', models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='reversed_by', to='crowd.ledgerentry')),
            ],
            options={
                'indexes': [models.Index(fields=['worker', 'project'], name='ledger_of_a_worker')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('kind__in', ['accrual', 'reversal'])), fields=('assignment', 'kind', 'round'), name='an_acceptance_is_paid_once'), models.UniqueConstraint(condition=models.Q(('kind', 'payout')), fields=('reference',), name='a_reference_is_paid_out_once'), models.CheckConstraint(condition=models.Q(models.Q(('amount_micros__gte', 0), ('kind__in', ('accrual', 'bonus'))), models.Q(('amount_micros__lte', 0), ('kind__in', ('reversal', 'payout'))), ('kind', 'carry'), _connector='OR'), name='an_entry_has_the_sign_of_its_kind'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'accrual'), _negated=True), ('assignment__isnull', False), _connector='OR'), name='pay_for_work_names_the_work'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'reversal'), _negated=True), ('assignment__isnull', False), ('reverses__isnull', False), _connector='OR'), name='a_reversal_names_what_it_reverses'), models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['payout', 'carry']), _negated=True), models.Q(('reference', ''), _negated=True), _connector='OR'), name='what_was_paid_out_has_a_reference'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'bonus'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='a_bonus_has_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='PeerScore',
            fields=[
                ('assignment', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='peer_score', serialize=False, to='crowd.assignment')),
                ('value', models.FloatField()),
                ('computed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('value__gte', 0), ('value__lte', 1)), name='a_peer_score_is_a_share')],
            },
        ),
        migrations.CreateModel(
            name='Score',
            fields=[
                ('assignment', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='score', serialize=False, to='crowd.assignment')),
                ('value', models.FloatField()),
                ('passed', models.BooleanField()),
                ('figures', models.JSONField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('gold', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='scores', to='crowd.gold')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('value__gte', 0), ('value__lte', 1)), name='a_score_is_a_share')],
            },
        ),
        migrations.CreateModel(
            name='Transition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('from_status', models.CharField(blank=True, default='', max_length=16)),
                ('to_status', models.CharField(choices=[('open', 'Open'), ('held', 'Held'), ('submitted', 'Submitted'), ('accepted', 'Accepted'), ('rejected', 'Rejected'), ('expired', 'Expired'), ('released', 'Released'), ('revoked', 'Revoked'), ('withdrawn', 'Withdrawn')], max_length=16)),
                ('reason', models.TextField(blank=True, default='')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('assignment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='transitions', to='crowd.assignment')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='annotation.project')),
            ],
            options={
                'indexes': [models.Index(fields=['project', 'at'], name='moves_of_a_project_by_time')],
            },
        ),
        migrations.CreateModel(
            name='Trial',
            fields=[
                ('assignment', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='trial', serialize=False, to='crowd.assignment')),
                ('attempt', models.PositiveSmallIntegerField()),
                ('figures', models.JSONField(null=True)),
                ('frames', models.JSONField(default=list)),
                ('graded_at', models.DateTimeField(null=True)),
                ('gold', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='trials', to='crowd.gold')),
                ('qualification', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='trials', to='crowd.qualification')),
            ],
            options={
                'indexes': [models.Index(fields=['qualification', 'attempt'], name='trials_of_an_attempt')],
                'constraints': [models.CheckConstraint(condition=models.Q(('figures__isnull', True), ('graded_at__isnull', False), _connector='OR'), name='a_graded_trial_knows_when')],
            },
        ),
        migrations.CreateModel(
            name='PayoutItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('live', models.BooleanField(default=True)),
                ('entry', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='payout_items', to='crowd.ledgerentry')),
                ('line', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='crowd.payoutline')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('live', True)), fields=('entry',), name='an_entry_is_in_one_live_payout_at_most'), models.UniqueConstraint(fields=('line', 'entry'), name='an_entry_is_in_a_line_once')],
            },
        ),
        migrations.AddField(
            model_name='gold',
            name='from_task',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='crowd.task'),
        ),
        migrations.RunPython(forbid, allow),
    ]
