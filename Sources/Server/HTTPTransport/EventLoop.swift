import CEvents
