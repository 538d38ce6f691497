# A namespace that other distributions share: GlusterFS's own gluster.cliutils lives in it too.
__path__ = __import__("pkgutil").extend_path(__path__, __name__)
