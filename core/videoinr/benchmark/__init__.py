"""``videoinr bench``: measured times, their lower bounds on this machine, and the times of a plain implementation.

name -> subject -> LoadedModel          subjects.py
sizes -> costs_of -> work of each step  costs.py, counting.py
device -> measure_ceilings -> Ceilings  ceilings.py
Engine -> measure_steps -> medians      steps.py, through the same Engine as the window and the export
Engine -> measure_ladder -> rungs       ladder.py, through the same RequestHandler as the window
grid -> measure_plain -> PlainResult    plain.py, the paper's heads without this program's optimisations
all of it -> run -> Report              run.py, report.py
"""
