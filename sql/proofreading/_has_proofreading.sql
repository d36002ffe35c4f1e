-- Whether a table of proofreading is here; without one, it is unknown what was proofread.
-- macro: _has_proofreading()
SELECT _has_any(['proofreading_status_and_strategy', 'proofreading_status_public_release']) AS _has_proofreading -- Whether there is one
