"""The bot as a GitHub Action: one event or one command a run, with the same code as the App.

Comes in from: `issue-tagger action`, which `action.yml` calls. State lies in a folder that the
workflow caches; what was done goes into the job's summary and outputs.
"""
