"""How much memory a program took at its peak."""

PEAK = '''
def peak():
    """In kB. Not ru_maxrss: that remembers the size of the process that started this one."""
    import re
    from pathlib import Path
    return int(re.search("VmHWM:\\\\s*([0-9]+)", Path("/proc/self/status").read_text())[1])
'''
