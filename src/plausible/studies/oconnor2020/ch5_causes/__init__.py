"""O'Connor 2020, chapter 5: what the thesis gives as causes, each isolated by an experiment."""
