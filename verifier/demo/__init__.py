"""An exchange played on real chains inside this process: the main job from end to end, and four ways to cheat."""
