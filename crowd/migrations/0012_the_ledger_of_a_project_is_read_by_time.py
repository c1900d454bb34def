from django.conf import settings
from django.db import migrations, models
from django.db.models.deletion import PROTECT

# An index each, of which another begins with the same column.
DROPPED = ["crowd_ledgerentry_project_id_07ff6422", "crowd_ledgerentry_worker_id_c6f5c3df"]


class Migration(migrations.Migration):
    dependencies = [
        ("crowd", "0011_a_running_batch_may_get_another_budget"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddIndex(
            "ledgerentry", models.Index(fields=["project", "-created_at", "id"], name="ledger_of_a_project_by_time")
        ),
        # SQLite would write the table anew for it, and lose the triggers that let nobody change an entry.
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(f'DROP INDEX IF EXISTS "{name}"', "") for name in DROPPED],
            state_operations=[
                migrations.AlterField(
                    "ledgerentry",
                    "project",
                    models.ForeignKey("annotation.project", PROTECT, related_name="ledger", db_index=False),
                ),
                migrations.AlterField(
                    "ledgerentry",
                    "worker",
                    models.ForeignKey(settings.AUTH_USER_MODEL, PROTECT, related_name="ledger", db_index=False),
                ),
            ],
        ),
    ]
