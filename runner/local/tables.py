"""The tables of the state, and how an older state becomes a newer one."""

# One script for each version of the state; a new state runs them all. Released scripts never change.
MIGRATIONS = (
    """
    CREATE TABLE files (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, filename TEXT NOT NULL,
      purpose TEXT NOT NULL, size_bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, created_at INTEGER NOT NULL,
      request_sha256 TEXT);
    CREATE TABLE jobs (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, created_at INTEGER NOT NULL,
      model TEXT NOT NULL, base_model TEXT NOT NULL, base_path TEXT, fine_tuned_model TEXT NOT NULL,
      status TEXT NOT NULL,
      training_file TEXT NOT NULL, validation_file TEXT, hyperparameters TEXT NOT NULL,
      seed INTEGER NOT NULL, suffix TEXT, metadata TEXT, allow_network INTEGER NOT NULL, request_sha256 TEXT,
      starts INTEGER NOT NULL,
      finished_at INTEGER, estimated_finish INTEGER, trained_tokens INTEGER, result_files TEXT NOT NULL,
      error TEXT, weights TEXT);
    CREATE INDEX jobs_by_status ON jobs (status);
    CREATE TABLE events (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, job_id TEXT NOT NULL,
      created_at INTEGER NOT NULL, level TEXT NOT NULL, message TEXT NOT NULL, type TEXT NOT NULL,
      data TEXT NOT NULL);
    CREATE INDEX events_by_job ON events (job_id, seq);
    CREATE TABLE checkpoints (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, job_id TEXT NOT NULL,
      created_at INTEGER NOT NULL, step INTEGER NOT NULL, model TEXT NOT NULL, metrics TEXT NOT NULL);
    CREATE TABLE models (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, job_id TEXT NOT NULL,
      created_at INTEGER NOT NULL, base_model TEXT NOT NULL, path TEXT NOT NULL,
      is_checkpoint INTEGER NOT NULL);
    """,
    """
    ALTER TABLE files ADD COLUMN expires_at INTEGER;
    ALTER TABLE jobs ADD COLUMN method TEXT NOT NULL DEFAULT 'supervised';
    ALTER TABLE jobs ADD COLUMN integrations TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE jobs ADD COLUMN pauses INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE uploads (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, filename TEXT NOT NULL,
      purpose TEXT NOT NULL, size_bytes INTEGER NOT NULL, mime_type TEXT NOT NULL,
      created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, expires_after_s INTEGER,
      status TEXT NOT NULL, file_id TEXT, request_sha256 TEXT, completion_sha256 TEXT);
    CREATE TABLE parts (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, upload_id TEXT NOT NULL,
      created_at INTEGER NOT NULL, size_bytes INTEGER NOT NULL);
    CREATE INDEX parts_by_upload ON parts (upload_id);
    CREATE TABLE permissions (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, checkpoint TEXT NOT NULL,
      project_id TEXT NOT NULL, created_at INTEGER NOT NULL, UNIQUE (checkpoint, project_id));
    CREATE TABLE batches (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, created_at INTEGER NOT NULL,
      endpoint TEXT NOT NULL, input_file_id TEXT NOT NULL, completion_window TEXT NOT NULL,
      status TEXT NOT NULL, model TEXT, metadata TEXT, output_expires_after_s INTEGER, request_sha256 TEXT,
      expires_at INTEGER NOT NULL, in_progress_at INTEGER, finalizing_at INTEGER, completed_at INTEGER,
      failed_at INTEGER, expired_at INTEGER, cancelling_at INTEGER, cancelled_at INTEGER,
      errors TEXT NOT NULL, output_file_id TEXT, error_file_id TEXT, n_requests INTEGER NOT NULL,
      n_completed INTEGER NOT NULL, n_failed INTEGER NOT NULL, input_tokens INTEGER NOT NULL,
      output_tokens INTEGER NOT NULL);
    CREATE TABLE completions (
      seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE NOT NULL, created_at INTEGER NOT NULL,
      model TEXT NOT NULL, completion TEXT NOT NULL, messages TEXT NOT NULL, metadata TEXT);
    """,
    """
    ALTER TABLE jobs ADD COLUMN grader TEXT;
    """,
)
