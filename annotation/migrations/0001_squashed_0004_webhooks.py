import annotation.ids
import django.contrib.auth.models
import django.contrib.auth.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('annotation', '0001_initial'), ('annotation', '0002_languages_of_people'), ('annotation', '0003_alias_seeds_and_erased_people'), ('annotation', '0004_webhooks')]

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='Job',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('kind', models.CharField(max_length=40)),
                ('subject', models.CharField(max_length=80)),
                ('status', models.CharField(choices=[('queued', 'Queued'), ('running', 'Running'), ('done', 'Done'), ('quarantined', 'Quarantined')], default='queued', max_length=16)),
                ('queued_key', models.CharField(max_length=125, null=True, unique=True)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('token', models.CharField(max_length=16, null=True)),
                ('lease_until', models.DateTimeField(null=True)),
                ('not_before', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('progress', models.FloatField(null=True)),
                ('reason', models.TextField(blank=True, default='')),
                ('wanted_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('started_at', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('status', 'queued')), fields=['not_before'], name='queued_jobs_to_wake'), models.Index(condition=models.Q(('status', 'running')), fields=['lease_until'], name='running_jobs_to_reclaim'), models.Index(fields=['kind', 'subject'], name='jobs_of_a_subject')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('queued_key__isnull', True), ('status', 'running'), ('token__isnull', False)), models.Q(models.Q(('status', 'running'), _negated=True), ('lease_until__isnull', True), ('token__isnull', True)), _connector='OR'), name='only_a_running_job_has_a_lease'), models.CheckConstraint(condition=models.Q(models.Q(('queued_key__isnull', False), ('status', 'queued')), models.Q(models.Q(('status', 'queued'), _negated=True), ('queued_key__isnull', True)), _connector='OR'), name='only_a_queued_job_has_a_key'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'quarantined'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='a_quarantined_job_has_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='User',
            fields=[
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('username', models.CharField(error_messages={'unique': 'A user with that username already exists.'}, help_text='Required. 150 characters or fewer. Letters, digits and @/./+/-/_ only.', max_length=150, unique=True, validators=[django.contrib.auth.validators.UnicodeUsernameValidator()], verbose_name='username')),
                ('first_name', models.CharField(blank=True, max_length=150, verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, verbose_name='last name')),
                ('email', models.EmailField(blank=True, max_length=254, verbose_name='email address')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('role', models.CharField(choices=[('admin', 'Admin'), ('manager', 'Manager'), ('reviewer', 'Reviewer'), ('client', 'Client'), ('worker', 'Worker')], default='worker', max_length=16)),
                ('token_serial', models.PositiveIntegerField(default=0)),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                ('languages', models.JSONField(default=list)),
                ('alias_seed', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16)),
                ('erased_at', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'verbose_name': 'user',
                'verbose_name_plural': 'users',
                'abstract': False,
                'constraints': [models.CheckConstraint(condition=models.Q(('role__in', ['admin', 'manager', 'reviewer', 'client', 'worker'])), name='a_user_has_a_known_role')],
            },
            managers=[
                ('objects', django.contrib.auth.models.UserManager()),
            ],
        ),
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('name', models.CharField(default='', max_length=100)),
                ('key_sha256', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('revoked_at', models.DateTimeField(null=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='IdempotencyKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('method', models.CharField(max_length=8)),
                ('path', models.CharField(max_length=500)),
                ('key', models.CharField(max_length=255)),
                ('body_sha256', models.CharField(max_length=64)),
                ('status', models.PositiveSmallIntegerField(null=True)),
                ('content_type', models.CharField(default='application/json', max_length=100)),
                ('answer', models.BinaryField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True)),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'method', 'path', 'key'), name='a_key_has_one_answer')],
            },
        ),
        migrations.CreateModel(
            name='Project',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('name', models.CharField(db_index=True, max_length=200)),
                ('instructions', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='projects', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Invite',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('role', models.CharField(choices=[('admin', 'Admin'), ('manager', 'Manager'), ('reviewer', 'Reviewer'), ('client', 'Client'), ('worker', 'Worker')], max_length=16)),
                ('secret_sha256', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('expires_at', models.DateTimeField()),
                ('created_by', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invites', to='annotation.project')),
            ],
        ),
        migrations.CreateModel(
            name='Member',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('admin', 'Admin'), ('manager', 'Manager'), ('reviewer', 'Reviewer'), ('client', 'Client'), ('worker', 'Worker')], max_length=16)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='members', to='annotation.project')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('project', 'user'), name='a_user_has_one_role_in_a_project'), models.CheckConstraint(condition=models.Q(('role__in', ['client', 'manager', 'reviewer', 'worker'])), name='a_member_has_a_role_of_projects')],
            },
        ),
        migrations.CreateModel(
            name='Ontology',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveIntegerField()),
                ('labels', models.JSONField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='ontologies', to='annotation.project')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('project', 'version'), name='an_ontology_version_is_written_once')],
            },
        ),
        migrations.CreateModel(
            name='Video',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200)),
                ('file', models.CharField(max_length=255)),
                ('bytes', models.BigIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('status', models.CharField(choices=[('uploaded', 'Uploaded'), ('indexing', 'Indexing'), ('ready', 'Ready'), ('rejected', 'Rejected')], default='uploaded', max_length=16)),
                ('reason', models.TextField(blank=True, default='')),
                ('frame_count', models.PositiveIntegerField(null=True)),
                ('settled_frames', models.PositiveIntegerField(default=0)),
                ('width', models.PositiveIntegerField(null=True)),
                ('height', models.PositiveIntegerField(null=True)),
                ('fps', models.FloatField(null=True)),
                ('duration_s', models.FloatField(null=True)),
                ('variable_frame_rate', models.BooleanField(null=True)),
                ('warnings', models.JSONField(default=list)),
                ('frame_map_sha256', models.CharField(blank=True, default='', max_length=64)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('uploaded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='videos', to='annotation.project')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('status', 'ready'), _negated=True), models.Q(('fps__gt', 0), ('frame_count__gt', 0), ('height__gt', 0), ('variable_frame_rate__isnull', False), ('width__gt', 0), models.Q(('frame_map_sha256', ''), _negated=True)), _connector='OR'), name='a_ready_video_has_its_facts'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'rejected'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='a_rejected_video_has_a_reason')],
            },
        ),
        migrations.CreateModel(
            name='Webhook',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('url', models.CharField(max_length=2000)),
                ('events', models.JSONField()),
                ('secret', models.CharField(max_length=200)),
                ('enabled', models.BooleanField(default=True)),
                ('reason', models.TextField(blank=True, default='')),
                ('rests_until', models.DateTimeField(null=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='webhooks', to='annotation.project')),
            ],
        ),
        migrations.CreateModel(
            name='Cut',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('segment_frames', models.PositiveIntegerField()),
                ('overlap_frames', models.PositiveIntegerField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('video', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='cuts', to='annotation.video')),
            ],
        ),
        migrations.CreateModel(
            name='Delivery',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('event', models.CharField(max_length=40)),
                ('body', models.TextField()),
                ('status', models.CharField(choices=[('waiting', 'Waiting'), ('delivered', 'Delivered'), ('failed', 'Failed')], default='waiting', max_length=16)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('attempts', models.JSONField(default=list)),
                ('next_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('ended_at', models.DateTimeField(null=True)),
                ('webhook', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='annotation.webhook')),
            ],
            options={
                'indexes': [models.Index(fields=['webhook', 'created_at'], name='deliveries_of_a_webhook'), models.Index(condition=models.Q(('status', 'waiting')), fields=['next_at'], name='deliveries_that_wait')],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('status', 'waiting')), models.Q(models.Q(('status', 'waiting'), _negated=True), ('ended_at__isnull', False)), _connector='OR'), name='a_delivery_that_ended_knows_when'), models.CheckConstraint(condition=models.Q(('status__in', ['waiting', 'delivered', 'failed'])), name='a_delivery_has_a_known_state')],
            },
        ),
        migrations.CreateModel(
            name='FrameMapRow',
            fields=[
                ('video', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='frame_map_row', serialize=False, to='annotation.video')),
                ('payload', models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name='TrackSet',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('start', models.PositiveIntegerField()),
                ('stop', models.PositiveIntegerField()),
                ('source', models.CharField(choices=[('worker', 'Worker'), ('gold', 'Gold'), ('model', 'Model'), ('consensus', 'Consensus'), ('reviewer', 'Reviewer'), ('import', 'Import')], max_length=16)),
                ('payload', models.BinaryField()),
                ('sha256', models.CharField(max_length=64)),
                ('track_count', models.PositiveIntegerField()),
                ('keyframe_count', models.PositiveIntegerField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('author', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('video', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='track_sets', to='annotation.video')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('stop__gt', models.F('start'))), name='a_trackset_has_frames'), models.CheckConstraint(condition=models.Q(('source__in', ['worker', 'gold', 'model', 'consensus', 'reviewer', 'import'])), name='a_trackset_has_a_known_source')],
            },
        ),
        migrations.CreateModel(
            name='Segment',
            fields=[
                ('id', models.CharField(default=annotation.ids.new_id, editable=False, max_length=16, primary_key=True, serialize=False)),
                ('index', models.PositiveIntegerField()),
                ('start', models.PositiveIntegerField()),
                ('stop', models.PositiveIntegerField()),
                ('cut', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='segments', to='annotation.cut')),
                ('video', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='segments', to='annotation.video')),
            ],
            options={
                'indexes': [models.Index(fields=['video', 'start'], name='segments_of_a_video')],
                'constraints': [models.UniqueConstraint(fields=('cut', 'index'), name='a_segment_has_one_place_in_its_cut'), models.CheckConstraint(condition=models.Q(('stop__gt', models.F('start'))), name='a_segment_has_frames')],
            },
        ),
        migrations.CreateModel(
            name='Clip',
            fields=[
                ('segment', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='clip', serialize=False, to='annotation.segment')),
                ('file', models.CharField(max_length=255)),
                ('bytes', models.BigIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('width', models.PositiveIntegerField()),
                ('height', models.PositiveIntegerField()),
                ('frame_times_s', models.JSONField()),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
        ),
    ]
