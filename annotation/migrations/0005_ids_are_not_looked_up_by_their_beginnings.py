from django.db import migrations

# Ids are random: nobody looks for them by how they begin, and each index is written and weighed by every claim.
DROP_LIKES = """
DO $$ DECLARE found record; BEGIN
    FOR found IN SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()
        AND tablename LIKE 'annotation\\_%' AND indexdef ~ '\\(([a-z_]+_)?id varchar_pattern_ops\\)'
    LOOP EXECUTE format('DROP INDEX %I', found.indexname); END LOOP;
END $$;
"""


def drop_likes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(DROP_LIKES, params=None)


class Migration(migrations.Migration):
    dependencies = [("annotation", "0001_squashed_0004_webhooks")]
    operations = [migrations.RunPython(drop_likes, migrations.RunPython.noop)]
