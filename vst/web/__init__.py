"""The page in the browser: a form that becomes a `Job`, a queue of jobs, and their results.

`sessions` keeps each visitor's files apart and within limits, `form` parses what the page sends,
`previews` paints single frames, `tasks` and `queue` run the jobs, `guard` refuses requests that the
page does not make, `server` puts the functions behind Gradio's server, and `page/` is the browser's
side. No algorithm lives here: the library paints and measures.
"""
