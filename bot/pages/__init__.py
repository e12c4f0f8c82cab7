"""The pages: what `/api/v1` answers as HTML, made here, without anything from elsewhere.

Comes in from: `service`. Every page works without JavaScript; a few lines of it add the keys.
Texts of people are escaped, cut to a length, and shown without characters that change how others
read.
"""
