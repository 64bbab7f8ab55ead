"""``videoinr bench``: how long this machine takes, how long it must take at least, and how long the paper's way.

name -> subject -> LoadedModel          subjects.py
sizes -> costs_of -> work of each step  costs.py, counting.py
device -> measure_ceilings -> Ceilings  ceilings.py
Engine -> measure_steps -> medians      steps.py, through the same Engine as the window and the export
grid -> measure_plain -> PlainHeads     plain.py, the paper's heads without any of our shortcuts
all of it -> run -> Report              run.py, report.py
"""
