import annotation.ids
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('review', '0001_initial'), ('review', '0002_imports'), ('review', '0003_exports_of_a_selection')]

    initial = True

    dependencies = [
        ('annotation', '0001_squashed_0004_webhooks'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('crowd', '0001_squashed_0006_payouts_and_disputes'),
    ]

    operations = [
        migrations.CreateModel(
            name='Agreement',
            fields=[
                ('project', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='agreement', serialize=False, to='annotation.project')),
                ('alpha', models.FloatField(null=True)),
                ('low', models.FloatField(null=True)),
                ('high', models.FloatField(null=True)),
                ('units', models.PositiveIntegerField(default=0)),
                ('measured_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
        migrations.CreateModel(
            name='Consensus',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('pending', 'Pending'), ('accepted', 'Accepted'), ('rejected', 'Rejected'), ('stale', 'Stale')], default='pending', max_length=16)),
                ('version', models.PositiveIntegerField(default=0)),
                ('agreement', models.FloatField(null=True)),
                ('confidence', models.FloatField(null=True)),
                ('decided_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('batch', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='consensus', to='crowd.batch')),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('segment', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='consensus', to='annotation.segment')),
                ('task', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='consensus', to='crowd.task')),
                ('track_set', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.trackset')),
                ('video', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='consensus', to='annotation.video')),
            ],
            options={
                'indexes': [models.Index(fields=['video', 'status'], name='consensus_of_a_video')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', False), ('status', 'accepted')), models.Q(('status', 'accepted'), _negated=True), _connector='OR'), name='an_accepted_consensus_knows_when'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'accepted'), _negated=True), ('track_set__isnull', False), _connector='OR'), name='an_accepted_consensus_has_tracks')],
            },
        ),
        migrations.CreateModel(
            name='Import',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('gold', 'Gold'), ('pre-labels', 'Pre Labels'), ('tracks', 'Tracks')], max_length=16)),
                ('format', models.CharField(max_length=16)),
                ('name', models.CharField(blank=True, max_length=255)),
                ('sha256', models.CharField(max_length=64)),
                ('tracks', models.PositiveIntegerField()),
                ('keyframes', models.PositiveIntegerField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('batch', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='crowd.batch')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('gold', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='crowd.gold')),
                ('pre_labels', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='crowd.prelabels')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='imports', to='annotation.project')),
                ('video', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='imports', to='annotation.video')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('batch__isnull', True), ('gold__isnull', False), ('kind', 'gold'), ('pre_labels__isnull', True)), models.Q(('batch__isnull', True), ('gold__isnull', True), ('kind', 'pre-labels'), ('pre_labels__isnull', False)), models.Q(('batch__isnull', False), ('gold__isnull', True), ('kind', 'tracks'), ('pre_labels__isnull', True)), _connector='OR'), name='an_import_names_what_it_made')],
            },
        ),
        migrations.CreateModel(
            name='Join',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('left_track', models.CharField(max_length=200)),
                ('right_track', models.CharField(max_length=200)),
                ('kind', models.CharField(max_length=16)),
                ('confidence', models.FloatField()),
                ('doubtful', models.BooleanField(default=True)),
                ('joined', models.BooleanField(default=True)),
                ('same', models.BooleanField(null=True)),
                ('decided_at', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('left_segment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='annotation.segment')),
                ('right_segment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='annotation.segment')),
                ('video', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='joins', to='annotation.video')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('left_segment', 'left_track', 'right_segment', 'right_track'), name='a_join_is_asked_once'), models.CheckConstraint(condition=models.Q(models.Q(('decided_at__isnull', True), ('same__isnull', True)), models.Q(('decided_at__isnull', False), ('same__isnull', False)), _connector='OR'), name='a_decided_join_knows_when')],
            },
        ),
        migrations.CreateModel(
            name='Release',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('number', models.PositiveIntegerField()),
                ('status', models.CharField(choices=[('building', 'Building'), ('ready', 'Ready'), ('failed', 'Failed')], default='building', max_length=16)),
                ('reason', models.TextField(blank=True, default='')),
                ('sha256', models.CharField(max_length=64, null=True)),
                ('decided', models.JSONField()),
                ('decided_sha256', models.CharField(max_length=64)),
                ('content', models.JSONField(null=True)),
                ('videos', models.PositiveIntegerField(default=0)),
                ('tracks', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='releases', to='annotation.project')),
                ('progress', models.FloatField(default=0.0)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('project', 'number'), name='a_release_has_a_number_of_its_own'), models.UniqueConstraint(fields=('project', 'decided_sha256'), name='the_same_content_is_released_once'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'ready'), _negated=True), models.Q(('content__isnull', False), ('sha256__isnull', False)), _connector='OR'), name='a_ready_release_has_its_content')],
            },
        ),
        migrations.CreateModel(
            name='Stitch',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('version', models.PositiveIntegerField()),
                ('content_sha256', models.CharField(max_length=64)),
                ('inputs', models.JSONField()),
                ('payload', models.BinaryField()),
                ('track_count', models.PositiveIntegerField()),
                ('borders_computed', models.PositiveIntegerField(default=0)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('video', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='stitches', to='annotation.video')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('video', 'version'), name='a_stitch_has_a_version_of_its_own')],
            },
        ),
        migrations.CreateModel(
            name='Build',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField()),
                ('method', models.CharField(max_length=40)),
                ('inputs', models.JSONField()),
                ('scores', models.JSONField()),
                ('agreement', models.FloatField()),
                ('confidence', models.FloatField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('track_set', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='build', to='annotation.trackset')),
                ('consensus', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='builds', to='review.consensus')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('consensus', 'version'), name='a_build_has_a_version_of_its_own'), models.CheckConstraint(condition=models.Q(('agreement__gte', 0), ('agreement__lte', 1), ('confidence__gte', 0), ('confidence__lte', 1)), name='agreement_and_confidence_are_shares')],
            },
        ),
        migrations.CreateModel(
            name='Decision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField()),
                ('verdict', models.CharField(choices=[('accept', 'Accept'), ('amend', 'Amend'), ('reject', 'Reject')], max_length=16)),
                ('reason', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('consensus', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='decisions', to='review.consensus')),
                ('track_set', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='annotation.trackset')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('verdict', 'reject'), ('track_set__isnull', False), _connector='OR'), name='what_is_accepted_has_tracks'), models.CheckConstraint(condition=models.Q(models.Q(('verdict', 'reject'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='a_rejection_has_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='Export',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('format', models.CharField(max_length=16)),
                ('status', models.CharField(choices=[('building', 'Building'), ('ready', 'Ready'), ('failed', 'Failed')], default='building', max_length=16)),
                ('reason', models.TextField(blank=True, default='')),
                ('file', models.CharField(blank=True, default='', max_length=255)),
                ('sha256', models.CharField(blank=True, default='', max_length=64)),
                ('bytes', models.BigIntegerField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('video', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='exports', to='annotation.video')),
                ('release', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='exports', to='review.release')),
                ('progress', models.FloatField(default=0.0)),
                ('selection', models.JSONField(default=dict)),
                ('selection_sha256', models.CharField(blank=True, default='', max_length=64)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('status', 'ready'), _negated=True), models.Q(models.Q(('file', ''), _negated=True), models.Q(('sha256', ''), _negated=True), ('bytes__isnull', False)), _connector='OR'), name='a_ready_export_has_its_file'), models.UniqueConstraint(fields=('release', 'format', 'video', 'selection_sha256'), name='an_export_of_a_video_is_made_once'), models.UniqueConstraint(condition=models.Q(('video__isnull', True)), fields=('release', 'format', 'selection_sha256'), name='an_export_of_a_release_is_made_once')],
            },
        ),
    ]
