"""The login page: plain HTML, without a script."""

from markupsafe import Markup

PAGE = Markup("""<!DOCTYPE html>
<html lang="en">
  <head>
    <meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Log in · Loglake</title>
    <link rel="icon" href="{prefix}_favicon.ico">
    <link rel="stylesheet" href="{prefix}assets/bootstrap-loglake.min.css">
    <link rel="stylesheet" href="{prefix}assets/loglake.css">
    <script src="{prefix}assets/start.js"></script>
  </head>
  <body>
    <main class="login">
      <form method="post" action="{prefix}login" class="panel login-form">
        <div class="brand"><span class="brand-mark"></span><span>Loglake</span></div>
        <h1 class="visually-hidden">Log in</h1>
        <input type="hidden" name="csrf" value="{token}"><input type="hidden" name="next" value="{target}">
        <label><span class="control-label">Name</span>
          <input class="form-control" name="name" autocomplete="username" autofocus required></label>
        <label><span class="control-label">Password</span>
          <input class="form-control" name="password" type="password" autocomplete="current-password" required></label>
        <div class="control-error" role="alert">{problem}</div>
        <button class="btn btn-primary">Log in</button>
      </form>
    </main>
  </body>
</html>
""")


def login_page(prefix: str, token: str, target: str, problem: str) -> str:
    """Return the page; every value is escaped."""
    return PAGE.format(prefix=prefix, token=token, target=target, problem=problem)
