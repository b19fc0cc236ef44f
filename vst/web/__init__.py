"""The page in the browser: a form that becomes a `Job`, a queue of jobs, and what is seen of them.

`rooms` keeps each visitor's files apart and within limits, `form` reads what the page sends, `desk`
paints single moments, `queue` does the jobs, `guard` says who may ask for what, `server` puts them
behind Gradio's server, and `page/` is what the browser shows. No algorithm lives here: everything
that is painted or measured is the library's.
"""
