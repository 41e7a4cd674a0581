"""Hostile input for every public function and for both doors of Python.

    make fuzz                       10,000 inputs; prints the seed, the rate and what answered how
    make fuzz INPUTS=500 SEED=7     the same inputs again

`test_calls.py` calls the functions of the catalog, `test_model.py` compares them with a model of
what they promise, `test_python.py` and `test_command.py` come in by the doors of Python.
"""
