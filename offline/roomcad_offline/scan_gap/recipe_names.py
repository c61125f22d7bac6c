"""Names of the recipes, for code that has to run without torch; `recipes.py` defines them."""

RECIPE_NAMES = ("baseline", "rot32", "rot32_bg", "yaw32", "yaw32_bg")
